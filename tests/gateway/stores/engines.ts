/** The engines that run in servers, and the tests that share a server of each. */
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
  { name: "Postgres", missing: noPostgres, start: startPostgres, hasRows: true },
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

/** Ends the servers that the tests of a file have started. It must be called last. */
export const testEnd = () =>
  Deno.test("the servers end", async () => {
    for (const server of running.values()) await (await server).end();
  });
