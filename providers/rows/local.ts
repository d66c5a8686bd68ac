/** The rows of servers on the operator's own machine, and of the demo. */
import { serveDemo } from "../demo/demo.ts";
import { compatible } from "../kinds.ts";
import type { Row } from "../types.ts";
import {
  COMPLETIONS,
  MAX_TOKENS,
  MCP_RESPONSES,
  MESSAGES,
  OPEN_RESPONSES,
  PLAIN_MESSAGES,
  RERANK,
  RESPONSES,
} from "./shared.ts";

export const LOCAL = {
  // `fetch` answers, so this host is never asked.
  demo: compatible("https://demo.invalid", { fetch: serveDemo }),
  // https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md (2026-11)
  // "'type' of tool must be 'function'"; newer builds skip other tools: https://github.com/ggml-org/llama.cpp/issues/20156
  llamacpp: compatible("http://127.0.0.1:8080/v1", {
    endpoints: { ...COMPLETIONS, ...RERANK },
    aliases: ["llama.cpp"],
    also: [{ ...RESPONSES, tools: /^function$/ }, PLAIN_MESSAGES],
  }),
  // https://lmstudio.ai/docs/developer/openai-compat, …/anthropic-compat (2026-11)
  // "Invalid discriminator value", `tools.8.type`: https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues/1810
  lmstudio: compatible("http://127.0.0.1:1234/v1", {
    endpoints: COMPLETIONS,
    ...MAX_TOKENS,
    also: [MCP_RESPONSES, PLAIN_MESSAGES],
  }),
  // Its Responses store nothing. https://docs.ollama.com/api/openai-compatibility, …/anthropic-compatibility (2026-11)
  // It writes a namespace into the names of its tools: https://github.com/ollama/ollama/issues/18284
  // Its embeddings take only texts.
  ollama: compatible("http://127.0.0.1:11434/v1", {
    endpoints: COMPLETIONS,
    ...MAX_TOKENS,
    also: [OPEN_RESPONSES, MESSAGES],
    embeddings: { tokens: false },
    keyEnv: ["OLLAMA_API_KEY"],
  }),
  // https://docs.vllm.ai/en/latest/serving/openai_compatible_server (2026-11)
  vllm: compatible("http://127.0.0.1:8000/v1", {
    endpoints: { ...COMPLETIONS, ...RERANK },
    also: [OPEN_RESPONSES, PLAIN_MESSAGES],
  }),
} satisfies Record<string, Row>;
