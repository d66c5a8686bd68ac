/** Starts real servers of Postgres and Redis for tests: on free ports, in temporary folders. */
import { connect, createServer } from "node:net";
import { spawn, spawnSync } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";

/** A server that runs. */
export interface Server {
  /** A URL for `openStore()`, with a password. */
  url: string;
  port: number;
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>;
  /** Starts it again, on its port and with its files. */
  start(): Promise<void>;
  /** Stops its process for a while, so that it answers nothing but its port is open. */
  freeze(): void;
  thaw(): void;
  /** Ends it, and removes its files. */
  end(): Promise<void>;
}

/** The password of each server. Nothing may tell it. */
export const PASSWORD = "p%40ss-word-of-the-store";

/** A port that is free at this moment. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

const isOpen = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => (socket.destroy(), resolve(true)));
    socket.on("error", () => resolve(false));
  });

/** How a kind of server is started. */
interface Program {
  command: string;
  args: string[];
  uid?: number;
  folder: string;
  port: number;
  url: string;
  /** Whether it takes requests. */
  isReady(): boolean | Promise<boolean>;
}

async function serve({ command, args, uid, folder, port, url, isReady }: Program): Promise<Server> {
  let child: ReturnType<typeof spawn>;
  let ended: Promise<unknown>;
  function begin() {
    child = spawn(command, args, { uid, gid: uid, cwd: folder, stdio: "ignore" });
    ended = new Promise((resolve) => child.on("exit", resolve));
  }
  async function start() {
    begin();
    const late = Date.now() + 60_000;
    while (!(await isOpen(port) && await isReady())) {
      if (Date.now() > late) throw new Error(`${command} does not start`);
      await new Promise((resolve) => setTimeout(resolve, 50));
      // After a crash the old server's processes must have ended first.
      if (child.exitCode !== null) begin();
    }
  }
  async function kill() {
    child.kill("SIGKILL");
    await ended;
  }
  /** Sends a signal to the server and its processes. Postgres has one for each connection. */
  function signal(name: string) {
    const { stdout } = run("pgrep", ["-P", `${child.pid}`]);
    for (const pid of [child.pid!, ...stdout.split("\n").filter(Boolean).map(Number)]) {
      try {
        process.kill(pid, `SIG${name}`);
      } catch {
        // It has just ended.
      }
    }
  }
  await start();
  return {
    url,
    port,
    start,
    kill,
    freeze: () => signal("STOP"),
    thaw: () => signal("CONT"),
    async end() {
      signal("CONT");
      // Postgres ends its sessions at SIGINT, and waits for them at SIGTERM.
      child.kill("SIGINT");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const run = (command: string, args: string[], options: { uid?: number; env?: Record<string, string> } = {}) =>
  spawnSync(command, args, {
    uid: options.uid,
    gid: options.uid,
    env: { PATH: process.env.PATH, ...options.env },
    cwd: tmpdir(),
    encoding: "utf8",
  });

// ---------------------------------------------------------------- Redis

/** Why Redis cannot be started here; `undefined` if it can. */
export const noRedis = run("redis-server", ["--version"]).status === 0
  ? undefined
  : "redis-server is missing";

export async function startRedis(...more: string[]): Promise<Server> {
  const folder = mkdtempSync(`${tmpdir()}/sluice-redis-`);
  const port = await freePort();
  const password = decodeURIComponent(PASSWORD);
  const args = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", folder, "--requirepass", password];
  return await serve({
    command: "redis-server",
    // Each write is on the disk before it is answered, so that a crash loses none.
    args: [...args, "--save", "", "--appendonly", "yes", "--appendfsync", "always", ...more],
    folder,
    port,
    url: `redis://:${PASSWORD}@127.0.0.1:${port}`,
    isReady: () => true,
  });
}

// ---------------------------------------------------------------- Postgres

/** The folder of the newest Postgres. Debian does not put it on the path. */
export function postgresFolder(): string | undefined {
  const all = "/usr/lib/postgresql";
  if (!existsSync(all)) return undefined;
  const [newest] = readdirSync(all).sort((a, b) => Number(b) - Number(a));
  return newest && `${all}/${newest}/bin`;
}

const BIN = postgresFolder();

/** Postgres does not run as root. */
const uid = process.getuid?.() === 0 ? Number(run("id", ["-u", "postgres"]).stdout) || undefined : undefined;

/** Why Postgres cannot be started here; `undefined` if it can. */
export const noPostgres = BIN === undefined
  ? "Postgres is missing"
  : process.getuid?.() === 0 && uid === undefined
  ? "there is no user postgres"
  : undefined;

export async function startPostgres(...more: string[]): Promise<Server> {
  const folder = mkdtempSync(`${tmpdir()}/sluice-postgres-`);
  if (uid !== undefined) chownSync(folder, uid, uid);
  const port = await freePort();
  const data = `${folder}/data`;
  const init = run(`${BIN}/initdb`, ["-D", data, "-U", "sluice", "-A", "trust", "-E", "UTF8", "--no-sync"], {
    uid,
  });
  if (init.status !== 0) throw new Error(`initdb has failed: ${init.stderr}`);
  const psql = (text: string) =>
    run(`${BIN}/psql`, ["-h", folder, "-p", `${port}`, "-U", "sluice", "-d", "postgres", "-c", text], {
      uid,
    });
  const server = await serve({
    command: `${BIN}/postgres`,
    // A process that is killed loses nothing without `fsync`: only a machine that fails would.
    args: [
      ...["-D", data, "-h", "127.0.0.1", "-p", `${port}`, "-k", folder, "-c", "max_connections=60"],
      ...["-c", "fsync=off"],
      ...more,
    ],
    uid,
    folder,
    port,
    url: `postgres://sluice:${PASSWORD}@127.0.0.1:${port}/postgres`,
    isReady: () => psql("select 1").status === 0,
  });
  psql(`alter user sluice password '${decodeURIComponent(PASSWORD)}'`);
  // From now on a connection over the network needs the password.
  const rules = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n";
  const hba = run("sh", ["-c", `printf '${rules}' > ${data}/pg_hba.conf`], { uid });
  if (hba.status !== 0) throw new Error(hba.stderr);
  psql("select pg_reload_conf()");
  return server;
}
