/** What Cloudflare's `run` asks of a model, which names no endpoint: told by the input, and for embeddings by the model's name. */

/** A path of the unified API, and its body without the model. */
export interface RunTask {
  path: "chat/completions" | "responses" | "embeddings";
  body: object;
}

/** `text-embedding-3-small`, `gemini-embedding-001`, `embed-v4.0`, `voyage-3.5`, `baai/bge-m3` */
const EMBEDS = /embed|(?:^|\/)(?:bge|e5|gte|voyage)-/i;

/**
 * The task of a model that is not Workers AI's: `{messages}` is a chat, `{input}` or Workers AI's `{text}` are embeddings if the
 * model makes them, and any other `{input}` is a response.
 */
export function runTask(model: string, input: object): RunTask {
  const { text, ...rest } = input as { messages?: unknown; text?: unknown; input?: unknown };
  const { messages } = rest;
  if (messages === undefined && EMBEDS.test(model)) {
    return { path: "embeddings", body: "input" in rest ? input : { ...rest, input: text } };
  }
  const isResponse = messages === undefined && rest.input !== undefined;
  return { path: isResponse ? "responses" : "chat/completions", body: input };
}

/**
 * Where Workers AI runs a model of its own: `run/@cf/meta/llama`. Escaped but for its slashes and its `@`, for a program may let
 * its users choose; `undefined` for a name that would lead elsewhere.
 */
export function runPath(model: string): string | undefined {
  if (/(?:^|\/)\.{1,2}(?:\/|$)/.test(model)) return undefined;
  return `run/${model.split("/").map((part) => encodeURIComponent(part).replace("%40", "@")).join("/")}`;
}

/** Whether a model is Workers AI's, which takes and gives its own format. */
export const isWorkersAI = (model: string): boolean => /^@(?:cf|hf)\//.test(model);
