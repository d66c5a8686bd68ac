/** LiteLLM's names of providers, where they differ from ours, and what its settings are here. */

/** LiteLLM's prefixes of models. Those that are one of our names or aliases are left out. */
export const PREFIXES: ReadonlyMap<string, string> = new Map([
  ["azure_text", "azure-openai"],
  ["cloudflare", "workers-ai"],
  ["codestral", "mistral"],
  ["cohere_chat", "cohere"],
  ["featherless_ai", "featherless"],
  ["fireworks_ai", "fireworks"],
  ["friendliai", "friendli"],
  ["hosted_vllm", "vllm"],
  ["lm_studio", "lmstudio"],
  ["nvidia_nim", "nvidia"],
  ["ollama_chat", "ollama"],
  ["text-completion-openai", "openai"],
  ["together_ai", "together"],
  ["vercel_ai_gateway", "vercel"],
  ["vertex_ai_beta", "google-vertex-ai"],
]);

/** Prefixes that stand for any server with OpenAI's API, whose address is in `api_base`. */
export const ANY_SERVER: ReadonlySet<string> = new Set([
  "custom_openai",
  "litellm_proxy",
  "llamafile",
  "openai_like",
  "text-completion-openai",
  "xinference",
]);

/** What stands here in place of a setting of LiteLLM's. The last part of a path counts, or all of it. */
export const INSTEAD: ReadonlyMap<string, string> = new Map([
  ["rpm", "a limit of the option gateways, e.g. {requests: 60, models: […]} (docs/limits.md)"],
  ["tpm", "a limit of the option gateways, e.g. {tokens: 60000, models: […]} (docs/limits.md)"],
  ["max_parallel_requests", "a limit of the option gateways, e.g. {open: 10, models: […]} (docs/limits.md)"],
  ["weight", "the models of a list are tried in turn; no share of the requests goes to each"],
  ["routing_strategy", "the models of a list are tried in turn, and stored keys are used in turn"],
  ["drop_params", "always so: what a model does not take is left out and named in sluice-dropped"],
  ["modify_params", "always so: what a model does not take is left out and named in sluice-dropped"],
  ["set_verbose", "SLUICE_LOG=info writes a line for each request"],
  ["json_logs", "the lines are JSON unless they go to a terminal"],
  ["callbacks", "traces and metrics: docs/observability.md"],
  ["success_callback", "traces and metrics: docs/observability.md"],
  ["failure_callback", "traces and metrics: docs/observability.md"],
  ["allowed_fails", "the option breaker"],
  ["cooldown_time", "the option breaker"],
  ["context_window_fallbacks", "a fallback is asked after any failure: name the larger model in models"],
  ["content_policy_fallbacks", "a fallback is asked after any failure: name the other model in models"],
  ["redis_host", "SLUICE_STORE=redis://HOST:6379 keeps counts for all processes (docs/stores.md)"],
  ["redis_port", "a part of the URL in SLUICE_STORE (docs/stores.md)"],
  ["redis_password", "a part of the URL in SLUICE_STORE (docs/stores.md)"],
  ["redis_url", "SLUICE_STORE (docs/stores.md)"],
  ["aws_access_key_id", "the variable AWS_ACCESS_KEY_ID (docs/keys.md)"],
  ["aws_secret_access_key", "the variable AWS_SECRET_ACCESS_KEY (docs/keys.md)"],
  ["aws_session_token", "the variable AWS_SESSION_TOKEN (docs/keys.md)"],
  ["tenant_id", "the variable AZURE_TENANT_ID (docs/keys.md)"],
  ["client_id", "the variable AZURE_CLIENT_ID (docs/keys.md)"],
  ["client_secret", "the variable AZURE_CLIENT_SECRET (docs/keys.md)"],
  ["alerting", "metrics, from which a monitor alerts: docs/observability.md"],
  ["mode", "the door decides: a model of embeddings is asked at /v1/embeddings"],
]);
