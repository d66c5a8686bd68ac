/** Opens Redis. Nothing imports this module: it is loaded by its URL if a store of this kind is wanted. */
import { createClient, RESP_TYPES } from "npm:@redis/client@6.3.1";
import { Buffer } from "node:buffer";
import { redis } from "./redis.ts";
import type { Stores } from "./stores.ts";

/** Milliseconds for a connection to open, and until a server that answers nothing is given up. */
const CONNECT_MS = 5000, SILENT_MS = 5000;

/** The longest wait before the next attempt to connect. A server that is back must be found at once. */
const RETRY_MS = 200;

/**
 * Opens a connection.
 *
 * @param url `redis://user:password@host:6379/0`, or `rediss:` with TLS.
 * @throws Error if it cannot be reached, or refuses the password.
 */
export async function open(url: string): Promise<Stores> {
  let isOpen = false;
  const client = createClient({
    url,
    // Commands fail at once while the server is down, and none is sent later.
    disableOfflineQueue: true,
    name: "sluice",
    socket: {
      connectTimeout: CONNECT_MS,
      socketTimeout: SILENT_MS,
      // The first attempt is the only one: a wrong address must end the start.
      reconnectStrategy: (retries, cause) => isOpen ? Math.min(20 * 2 ** retries, RETRY_MS) : cause,
    },
    pingInterval: SILENT_MS / 2,
  });
  // Each command that fails tells it. Without a listener an error of the connection would end the process.
  client.on("error", () => {});
  await client.connect();
  isOpen = true;
  const bytes = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  const stores = redis((...args) =>
    bytes.sendCommand(
      args.map((arg) => typeof arg === "string" ? arg : Buffer.from(arg.buffer, arg.byteOffset, arg.length)),
    )
  );
  return { ...stores, close: () => void client.destroy() };
}
