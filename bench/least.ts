/**
 * A minimal gateway: only the work that no gateway can leave out.
 *
 * It shows which part of a measurement is due to the runtime. It reads the body of a request and writes it anew, removes the
 * headers of the connection and sets the key. It filters the headers of an answer and adds the seven that Cloudflare's
 * clients read. Calls below `/messages` and of Gemini's methods stand for translated calls: their whole answers are parsed
 * and written again, and their streams pass through a JavaScript stream. Nothing is checked, and no fault is handled.
 *
 * Started like `floor.ts`.
 *
 * @module
 */
import { serveOne, type Settings } from "./floor.ts";

const GONE = new Set(["accept-encoding", "authorization", "connection", "content-length", "host"]);
const isDeno = "Deno" in globalThis;

/** Serves one request. */
export async function least(request: Request, { UPSTREAM }: Settings): Promise<Response> {
  const path = request.url.slice(request.url.indexOf("/", 8));
  const body = JSON.parse(new TextDecoder().decode(await request.arrayBuffer()));
  const answer = await fetch(UPSTREAM + path, {
    method: "POST",
    headers: requestHeaders(request.headers),
    body: JSON.stringify(body),
    signal: request.signal,
  });
  const translated = !path.endsWith("/chat/completions");
  const isStream = answer.headers.get("content-type")!.startsWith("text/event-stream");
  const given = !translated
    ? answer.body
    : isStream
    ? through(answer.body!)
    : JSON.stringify(JSON.parse(await answer.text()));
  const response = new Response(given, { status: answer.status });
  answer.headers.forEach((value, name) => {
    if (!GONE.has(name)) response.headers.set(name, value);
  });
  const id = crypto.randomUUID();
  for (const name of ["log-id", "request-id", "event-id"]) response.headers.set(`cf-aig-${name}`, id);
  response.headers.set("cf-aig-step", "0");
  response.headers.set("cf-aig-provider", "openai");
  response.headers.set("cf-aig-model", "bench-model");
  response.headers.set("server-timing", `sluice;dur=${Date.now() % 2}`);
  return response;
}

/** Headers in the form that is fastest on each runtime, as in the gateway. */
function requestHeaders(headers: Headers): HeadersInit {
  const key = headers.get("authorization")!;
  if (isDeno) {
    const plain: Record<string, string> = { authorization: key };
    headers.forEach((value, name) => {
      if (!GONE.has(name)) plain[name] = value;
    });
    return plain;
  }
  const copy = new Headers(headers);
  for (const name of GONE) copy.delete(name);
  copy.set("authorization", key);
  return copy;
}

/** The cheapest JavaScript stream of each runtime: it is pulled, and on Deno it is read into one buffer. */
function through(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const reader = isDeno ? undefined : body.getReader();
  const byob = isDeno ? body.getReader({ mode: "byob" }) : undefined;
  let buffer = new ArrayBuffer(4096);
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await (byob ? byob.read(new Uint8Array(buffer)) : reader!.read());
      if (done) return controller.close();
      controller.enqueue(byob ? value!.slice() : value!);
      buffer = value!.buffer as ArrayBuffer;
    },
    cancel: (reason) => (byob ?? reader!).cancel(reason),
  }, { highWaterMark: 0 });
}

if (import.meta.main) serveOne(least);
