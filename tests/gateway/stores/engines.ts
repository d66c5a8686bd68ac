/** The engines that run in servers, and the tests that share a server of each. */
import type { Options } from "../../../gateway/setup/options.ts";
import { openStore } from "../../../gateway/stores/store_url.ts";
import { before, clock, completion } from "../../fakes.ts";
import { noPostgres, noRedis, type Server, startPostgres, startRedis } from "./servers.ts";

/** A kind of store that runs in a server. */
export interface Engine {
  name: string;
  /** Why it cannot be started here. */
  missing?: string;
  start(): Promise<Server>;
  /** What it fills. */
  hasRows: boolean;
}

export const ENGINES: Engine[] = [
  { name: "Postgres", missing: noPostgres, start: () => startPostgres(), hasRows: true },
  { name: "Redis", missing: noRedis, start: () => startRedis(), hasRows: false },
];

const running = new Map<string, Promise<Server>>();

/** The server that the tests of an engine share. */
export function serverOf({ name, start }: Engine): Promise<Server> {
  let server = running.get(name);
  if (!server) running.set(name, server = start());
  return server;
}

export function test({ name, missing }: Engine, title: string, fn: () => Promise<void>): void {
  Deno.test({
    name: `${name}: ${title}${missing ? ` (${missing})` : ""}`,
    ignore: missing !== undefined,
    fn,
  });
}

/** Gateways with a store each, on one server, whose clock is the test's. */
export async function gatewaysOn(
  { url }: Server,
  options: Options,
  answer: Parameters<typeof before>[0] = () => completion(),
) {
  const time = clock();
  const make = async () => {
    // The machine of a test may be slow.
    const store = { ...await openStore(url), timeoutMs: 60_000 };
    return before(answer, { keys: { openai: "sk-stored" }, ...options, ...time.options, store });
  };
  const all = [await make(), await make()];
  return { all, pass: time.pass, close: async () => void await Promise.all(all.map(({ close }) => close())) };
}

/** The lines that are written on standard error while something runs. */
export async function lines(work: () => Promise<void>): Promise<string[]> {
  const told: string[] = [];
  const { error } = console;
  console.error = (line: string) => void told.push(String(line));
  try {
    await work();
  } finally {
    console.error = error;
  }
  return told;
}

/** Ends the servers that the tests of a file have started. It must be called last. */
export const testEnd = () =>
  Deno.test("the servers end", async () => {
    for (const server of running.values()) await (await server).end();
  });
