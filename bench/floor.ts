/**
 * The least that a gateway can do: passes each request to one upstream and passes the answer back.
 *
 * `identity` adds one `TransformStream` that changes nothing. The cost of a translation is compared with it.
 *
 * @example
 * ```sh
 * PORT=9001 UPSTREAM=http://127.0.0.1:9000 deno run --allow-net --allow-env bench/floor.ts
 * PORT=9001 UPSTREAM=http://127.0.0.1:9000 bun bench/floor.ts
 * ```
 */

/** The variables of the environment. */
export interface Settings {
  UPSTREAM: string;
  /** Any text adds an identity transform. */
  IDENTITY?: string;
}

/** Serves one request. */
export async function pass(request: Request, { UPSTREAM, IDENTITY }: Settings): Promise<Response> {
  const path = request.url.slice(request.url.indexOf("/", 8));
  const headers = new Headers(request.headers);
  headers.delete("host");
  const answer = await fetch(UPSTREAM + path, {
    method: request.method,
    headers,
    // Not `request.body`: a streamed body would be chunked, which costs more on each runtime.
    body: await request.arrayBuffer(),
    signal: request.signal,
  });
  if (!IDENTITY) return answer;
  const body = answer.body!.pipeThrough(
    new TransformStream({ transform: (chunk, controller) => controller.enqueue(chunk) }),
  );
  return new Response(body, { headers: { "content-type": answer.headers.get("content-type")! } });
}

interface Runtimes {
  Deno?: {
    serve(options: object, handler: (request: Request) => Promise<Response>): unknown;
    env: { toObject(): Record<string, string> };
  };
  Bun?: { serve(options: object): unknown; env: Record<string, string> };
}

/** Serves one kind of gateway on `PORT`, on Deno and on Bun. */
export function serveOne(serve: (request: Request, settings: Settings) => Promise<Response>): void {
  const { Deno: deno, Bun: bun } = globalThis as unknown as Runtimes;
  const env = (deno?.env.toObject() ?? bun!.env) as unknown as Settings & { PORT: string };
  const address = { port: Number(env.PORT), hostname: "127.0.0.1" };
  const handler = (request: Request) => serve(request, env);
  if (deno) deno.serve({ ...address, onListen: () => {} }, handler);
  else bun!.serve({ ...address, idleTimeout: 0, fetch: handler });
}

// A Worker is started by its export instead.
if (import.meta.main && ("Deno" in globalThis || "Bun" in globalThis)) serveOne(pass);
