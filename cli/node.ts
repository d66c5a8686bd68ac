/** What Node brings to serve the gateway as a process of its own. */
import { open, readFile } from "node:fs/promises";
import { createServer, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { Readable } from "node:stream";
import { toNodeHandler } from "npm:srvx@1.0.8/node";
import type { Host, Server } from "../gateway/serve/hosts.ts";
import type { Served } from "../gateway/setup/env.ts";

type Fetch = (request: Request) => Promise<Response>;

/** Milliseconds for which a connection without a request is kept: longer than proxies in front keep theirs. */
const KEEP_ALIVE_MS = 75_000;

/** Milliseconds within which the head of a request must come. Node looks every 30 s. */
const HEAD_MS = 60_000;

/** Node as a host. */
export const nodeHost: Host = {
  env: (name) => process.env[name],
  names: () => Object.keys(process.env),
  alone: true,
  readText: (path) => readFile(path, "utf8"),
  async open(path) {
    const file = await open(path);
    return Readable.toWeb(file.createReadStream()) as ReadableStream<Uint8Array>;
  },
  async listen(served, fetch) {
    await liftFetchLimits();
    return await listen(served, fetch);
  },
  onSignal: (signal, listener) => void process.on(signal, listener),
  exit: (code) => process.exit(code),
};

function listen({ port, hostname, reusePort }: Served, fetch: Fetch): Promise<Server> {
  // The gateway has a limit of its own for slow bodies; Node's default of 300 s would cut a long upload. Without that one Node has
  // none for heads either.
  const options = { requestTimeout: 0, headersTimeout: HEAD_MS, keepAliveTimeout: KEEP_ALIVE_MS };
  const server = createServer(options, toNodeHandler(withHeadersAtOnce(fetch)) as RequestListener);
  let running = 0;
  server.on("request", (_, response) => {
    running++;
    response.once("close", () => running--);
  });
  const finish = async () => {
    // Its callback would also wait for connections that have sent no request.
    server.close();
    while (running > 0) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      // Those that have become idle take no further request.
      server.closeIdleConnections();
    }
  };
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host: hostname, reusePort, exclusive: !reusePort }, () => {
      resolve({ port: (server.address() as AddressInfo).port, finish });
    });
  });
}

/** Node sends headers only with the first byte of the body. A client of a stream waits for them. */
function withHeadersAtOnce(fetch: Fetch): Fetch {
  return async (request) => {
    const response = await fetch(request);
    if (response.headers.get("content-type")?.startsWith("text/event-stream")) {
      const { runtime } = request as { runtime?: { node?: { res?: ServerResponse } } };
      const res = runtime?.node?.res;
      setImmediate(() => {
        if (res?.headersSent && !res.writableEnded) res.flushHeaders();
      });
    }
    return response;
  };
}

/** Where Node keeps what sends its requests. No module exports it. */
const DISPATCHER = Symbol.for("undici.globalDispatcher.1");

/**
 * Node's `fetch` ends a request after 300 s without headers or without a byte. A model may think longer, and the gateway has
 * limits of its own. On a Node that keeps its dispatcher elsewhere the limit stays.
 */
async function liftFetchLimits(): Promise<void> {
  // The first `fetch` makes the dispatcher.
  await fetch("data:,");
  const scope = globalThis as {
    [DISPATCHER]?: { constructor: new (options: object) => { dispatch?: unknown } };
  };
  const Agent = scope[DISPATCHER]?.constructor;
  if (Agent) scope[DISPATCHER] = new Agent({ headersTimeout: 0, bodyTimeout: 0 }) as never;
}
