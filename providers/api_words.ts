/**
 * The first segments of OpenAI's and Anthropic's paths below `/v1/`.
 *
 * Read in 2026-11 from the paths that `openai` 7.59.0 and `@anthropic-ai/sdk` 1.14.0 send, and those that they once sent.
 */

/** Segments whose errors are read by Anthropic's clients. */
export const ANTHROPIC_ONLY: ReadonlySet<string> = new Set(["complete", "messages"]);

/** No account id is any of these. */
export const API_WORDS: ReadonlySet<string> = new Set([
  ...ANTHROPIC_ONLY,
  "agents",
  "assistants",
  "audio",
  "batches",
  "chat",
  "chatkit",
  "completions",
  "compliance",
  "containers",
  "content_provenance_checks",
  "conversations",
  "decisions",
  "deployment_runs",
  "deployments",
  "dreams",
  "edits",
  "embeddings",
  "engines",
  "environments",
  "evals",
  "files",
  "fine-tunes",
  "fine_tuning",
  "images",
  "live",
  "memory_stores",
  "models",
  "moderations",
  "organization",
  "organizations",
  "projects",
  "realtime",
  "rerank",
  "responses",
  "safety",
  "sessions",
  "skills",
  "threads",
  "tunnels",
  "uploads",
  "usage",
  "user_profiles",
  "v1",
  "vaults",
  "vector_stores",
  "videos",
  "webhook_endpoints",
  "webhook_event_types",
]);
