/**
 * The least that a gateway can be: hands each request to one upstream and hands the answer back.
 *
 * `identity` puts one `TransformStream` that changes nothing between; what a translation costs is measured from there.
 *
 * @example
 * ```sh
 * PORT=9001 UPSTREAM=http://127.0.0.1:9000 deno run --allow-net --allow-env bench/floor.ts
 * PORT=9001 UPSTREAM=http://127.0.0.1:9000 bun bench/floor.ts
 * ```
 */

/** What the environment sets. */
export interface Settings {
  UPSTREAM: string;
  /** Any text: put an identity transform between. */
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
    // Not `request.body`: streamed on, it would be chunked, which costs more on each runtime.
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

// Bundled as a Worker it is started by its export.
if (import.meta.main && ("Deno" in globalThis || "Bun" in globalThis)) serveOne(pass);
