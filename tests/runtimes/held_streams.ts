/** Holds many streams of a silent provider at once. */
import type { FakeProvider } from "./fake_provider.ts";
import type { Running } from "./gateways.ts";

/** The result of `holdStreams`. */
export interface Held {
  /** The most streams that were open at the provider at once. */
  open: number;
  /** The status of a further request to another provider, and its milliseconds. */
  status: number;
  ms: number;
}

let made = 0;

/**
 * Opens streams of which the provider sends only headers, then asks another provider.
 *
 * @param env The gateway's environment, in which `openai` and `groq` are the fake provider.
 */
export async function holdStreams(gateway: Running, provider: FakeProvider, count: number): Promise<Held> {
  const leave = new AbortController();
  const clients: Promise<unknown>[] = [];
  try {
    for (let at = 0; at < count; at++) {
      const model = `quiet-held-${made++}`;
      // On Bun the headers are sent with the first byte.
      clients.push(chat(gateway, `openai/${model}`, true, leave.signal).catch(() => {}));
      // A few at a time, because a listener's queue is short.
      if (at % 50 === 49) await provider.arrived(model);
    }
    await provider.arrived(`quiet-held-${made - 1}`);
    const start = performance.now();
    const answer = await chat(gateway, `groq/plain-held-${made++}`, false, AbortSignal.timeout(20_000));
    await answer.text();
    return { open: provider.open, status: answer.status, ms: performance.now() - start };
  } finally {
    leave.abort();
    await Promise.all(clients);
  }
}

function chat({ url }: Running, model: string, stream: boolean, signal: AbortSignal): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: "Bearer key" },
    body: JSON.stringify({ model, stream, messages: [{ role: "user", content: "x" }] }),
    signal,
  });
}
