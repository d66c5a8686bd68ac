/** A served gateway before one provider, and a folder in which an agent works. */
import { createGateway } from "../../mod.ts";
import type { Asked, Json } from "../acceptance/lab.ts";
import type { Provider } from "./providers.ts";

/** What an agent asked the gateway, and how it was answered. */
export interface AgentCall {
  method: string;
  /** With its query. */
  path: string;
  headers: Headers;
  text: string;
  status: number;
  dropped: string | null;
}

export interface Room {
  /** Where the gateway is. */
  url: string;
  /** The gateway's token, as the agent's key. */
  token: string;
  /** The agent's home, for its settings. */
  home: string;
  /** Where it works. */
  folder: string;
  calls: AgentCall[];
  /** What the provider was asked. */
  asked: Asked[];
  close(): Promise<void>;
}

/** Folders of rooms that are open. */
const folders = new Set<string>();
export function removeFolders(): void {
  for (const folder of folders) Deno.removeSync(folder, { recursive: true });
}

const TOKEN = "token-of-the-agents-1234";
const KEY = "stored-key-5678";
const KEYS = { anthropic: KEY, "google-ai-studio": KEY, local: KEY, openai: KEY };

/**
 * Serves a gateway on a free port.
 *
 * @param names Names that the agent writes, and the models that they stand for.
 */
export async function openRoom({ play }: Provider, names: Record<string, string> = {}): Promise<Room> {
  const top = await Deno.makeTempDir({ prefix: "sluice_agents_" });
  folders.add(top);
  const [home, folder] = [`${top}/home`, `${top}/work`];
  for (const path of [home, folder]) await Deno.mkdir(path);
  const calls: AgentCall[] = [];
  const asked: Asked[] = [];
  const gateway = createGateway({
    tokens: [TOKEN],
    keys: KEYS,
    providers: { local: { baseUrl: "https://local.test/v1" } },
    ...(Object.keys(names).length > 0 && { models: names }),
    async fetch(input, init) {
      const request = new Request(input, init);
      const text = await request.text();
      const { method } = request;
      // The fakes take one key alone, which is too short to be stored.
      const headers = new Headers(request.headers);
      for (const [name, value] of request.headers) headers.set(name, value.replace(KEY, "key"));
      const one = {
        url: new URL(request.url),
        method,
        headers,
        text,
        body: JSON.parse(text || "{}") as Json,
      };
      asked.push(one);
      return await play(one);
    },
  });
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const { pathname, search } = new URL(request.url);
    const { method, headers } = request;
    const text = await request.clone().text();
    const response = await gateway.fetch(request);
    const { status } = response;
    calls.push({
      method,
      path: pathname + search,
      headers,
      text,
      status,
      dropped: response.headers.get("sluice-dropped"),
    });
    return response;
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    token: TOKEN,
    home,
    folder,
    calls,
    asked,
    async close() {
      await server.shutdown();
      await Deno.remove(top, { recursive: true });
      folders.delete(top);
    },
  };
}
