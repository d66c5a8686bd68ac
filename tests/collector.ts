/** A collector of OpenTelemetry. */
import { readSpans } from "./otlp.ts";

/** A collector that refuses what a collector refuses. Its answers come from a function; default: it takes everything. */
export function startCollector(
  answer: (spans: number, turn: number) => Response | Promise<Response> = taken,
) {
  let turn = 0;
  const names: string[] = [];
  const requests: { headers: Headers; spans: number }[] = [];
  const listeners: (() => void)[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { method, url, headers } = request;
    if (method !== "POST") return new Response(null, { status: 405 });
    if (new URL(url).pathname !== "/v1/traces") return new Response(null, { status: 404 });
    if (headers.get("content-type") !== "application/json") return new Response(null, { status: 415 });
    const { spans } = readSpans(await request.text());
    requests.push({ headers, spans: spans.length });
    const response = await answer(spans.length, turn++);
    if (response.ok) names.push(...spans.map(({ name }) => name));
    listeners.splice(0).forEach((listener) => listener());
    return response;
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/v1/traces`,
    names,
    requests,
    /** Waits until it has answered a number of requests. */
    async answered(count: number) {
      while (turn < count) await new Promise<void>((resolve) => listeners.push(resolve));
    },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** A collector's answer that it has taken all spans. */
export const taken = () => Response.json({});
export const refused = (status: number, headers?: Record<string, string>) =>
  new Response("a text that is not shown", { status, headers });
