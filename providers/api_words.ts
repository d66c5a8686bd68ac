/**
 * The first segments of OpenAI's and Anthropic's paths below `/v1/`.
 *
 * Read in November 2026 from the paths that `openai` 7.59.0 and `@anthropic-ai/sdk` 1.14.0 send, and those that older
 * versions sent.
 */

/** Segments of Anthropic's API only. Their errors have Anthropic's shape. */
export const ANTHROPIC_ONLY: ReadonlySet<string> = new Set(["complete", "messages"]);

/** All segments. None of them can be an account id. */
export const API_WORDS: ReadonlySet<string> = new Set([
  ...ANTHROPIC_ONLY,
  "agents",
  "assistants",
  "audio",
  "batches",
  "beta",
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

/**
 * The first segments of paths below a version, of the providers whose rows have a `version`. Only before these segments a
 * missing version is added. Read in November 2026 from `@google/genai` 2.32, `@mistralai/mistralai` 2.7, `@deepgram/sdk`
 * 5.13, `@elevenlabs/elevenlabs-js` 2.73, `@openrouter/sdk` 1.3 and the references of xAI and Perplexity.
 */
export const VERSIONED_WORDS: ReadonlySet<string> = new Set([
  ...API_WORDS,
  // Google
  ...["auth_tokens", "cachedContents", "corpora", "fileSearchStores", "interactions", "operations"],
  ...["tunedModels", "upload"],
  // Mistral
  ...[
    "batch",
    "classifications",
    "connectors",
    "fim",
    "libraries",
    "observability",
    "ocr",
    "rag",
    "workflows",
  ],
  // OpenRouter
  ...[
    "activity",
    "analytics",
    "auth",
    "benchmarks",
    "byok",
    "credits",
    "datasets",
    "endpoints",
    "generation",
  ],
  ...["guardrails", "key", "keys", "model", "presets", "providers", "workspaces"],
  // xAI
  ...["api-key", "documents", "embedding-models", "image-generation-models", "language-models"],
  ...["tokenize-text", "video-generation-models"],
  // Perplexity
  ...["agent", "async", "search", "sonar"],
  // Deepgram
  ...["listen", "read", "speak"],
  // ElevenLabs
  ...["audio-effects", "audio-isolation", "audio-native", "convai", "dubbing", "flows", "forced-alignment"],
  ...["history", "music", "productions", "pronunciation-dictionaries", "shared-voices", "similar-voices"],
  ...[
    "single-use-token",
    "sound-generation",
    "speech-engine",
    "speech-to-speech",
    "speech-to-text",
    "studio",
  ],
  ...["text-to-dialogue", "text-to-speech", "text-to-voice", "user", "voices", "workspace"],
]);
