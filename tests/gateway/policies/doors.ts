/** The doors at which every policy holds. */
import { ask, chunk, post, ROOT } from "../../fakes.ts";

export const step = { provider: "openai", endpoint: "chat/completions", query: { model: "gpt" } };

/** The three doors that send, each asking OpenAI. */
export const DOORS: [string, (headers?: Record<string, string>) => Request][] = [
  ["compat", (headers) => ask("openai/gpt", headers)],
  ["native", (headers) => post(`${ROOT}/openai/chat/completions`, step.query, headers)],
  ["universal", (headers) => post(ROOT, [step], headers)],
];

export const ROLE = chunk({ role: "assistant", content: "" });

/** An upstream that is silent until its request is aborted. */
export const silent = ({ signal }: { signal: AbortSignal }) =>
  new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
