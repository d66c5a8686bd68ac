/**
 * The container. No engine is at hand where the tests run, so its steps run in a plain folder: what is copied, what is run, with which
 * variables the program starts, and whether the health check finds it.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Ajv } from "npm:ajv@8.20.0";
import postgres from "npm:postgres@3.4.9";
import { parse } from "npm:yaml@2.8.1";
import { readEnv } from "../../gateway/setup/env.ts";
import { readStoreUrls } from "../../gateway/stores/read_store_urls.ts";
import { ROOT } from "../bundle.ts";
import { noPostgres, noRedis, postgresFolder, startPostgres } from "../gateway/stores/servers.ts";
import { installed, NoNetwork } from "../package/tools.ts";
import { freePort } from "../free_port.ts";
import { DENO, startServed } from "./gateways.ts";

type Step = readonly [instruction: string, rest: string];

/** The instructions, without comments. None of them goes over several lines. */
const STEPS: Step[] = (await Deno.readTextFile(`${ROOT}/Dockerfile`)).split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)]);

const all = (wanted: string) =>
  STEPS.filter(([instruction]) => instruction === wanted).map(([, rest]) => rest);
const only = (wanted: string) => {
  const [found, ...others] = all(wanted);
  assert(found !== undefined && others.length === 0, `one ${wanted}`);
  return found;
};

/** The folder in place of the container's `/`. */
const inside = (root: string, text: string) =>
  text.replaceAll(/(?<=^|[\s=,"])\/(?=app|data|deno-dir)/g, `${root}/`);

async function copy(from: string, to: string): Promise<void> {
  const { success, stderr } = await new Deno.Command("cp", { args: ["-r", from, to], cwd: ROOT }).output();
  assert(success, new TextDecoder().decode(stderr));
}

/** Runs the steps up to the start. */
async function build(root: string): Promise<{ env: Record<string, string>; cwd: string }> {
  const cwd = inside(root, only("WORKDIR"));
  await Deno.mkdir(cwd, { recursive: true });
  await Deno.mkdir(`${root}/bin`);
  await Deno.symlink(DENO, `${root}/bin/deno`);
  const env = {
    ...Object.fromEntries(all("ENV").map((line) => inside(root, line).split("=", 2))),
    PATH: `${root}/bin:${Deno.env.get("PATH")}`,
  };
  for (const [instruction, rest] of STEPS) {
    if (instruction === "COPY") {
      const parts = rest.split(" ");
      for (const source of parts.slice(0, -1)) await copy(source, `${cwd}/${parts.at(-1)}`);
    }
    if (instruction === "RUN") {
      // The folder has no user of that name.
      const script = inside(root, rest).replace(/ && chown .*/, "");
      const { success, stderr } = await new Deno.Command("sh", {
        args: ["-c", script],
        cwd,
        env,
      })
        .output();
      assert(success, `${rest}: ${new TextDecoder().decode(stderr)}`);
    }
  }
  return { env, cwd };
}

Deno.test("the container's steps, in a plain folder, lead to a gateway that keeps rows, is found healthy and drains", async () => {
  const root = await Deno.makeTempDir();
  try {
    const { env, cwd } = await build(root);
    const command: string[] = JSON.parse(inside(root, only("CMD")));
    const given = {
      ...env,
      PORT: "0",
      SLUICE_TOKENS: "my-token",
      SLUICE_STORE: `sqlite:${root}/data/sluice.db`,
    };
    const start = ["-c", 'cd "$0" && exec "$@"', cwd, ...command];
    await using gateway = await startServed("sh", start, given);
    assertStringIncludes(gateway.output(), "http://0.0.0.0:");
    const port = new URL(gateway.url).port;
    const answer = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: "Bearer my-token" },
      body: JSON.stringify({ model: "demo/echo", messages: [{ role: "user", content: "Hello" }] }),
    });
    assertEquals((await answer.json()).choices[0].message.content, "Hello");
    const check: string[] = JSON.parse(only("HEALTHCHECK").replace(/^.*? CMD /, ""));
    const health = (port: string) =>
      new Deno.Command(check[0], { args: check.slice(1), env: { ...env, PORT: port }, cwd }).output();
    const { code, stderr } = await health(port);
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    gateway.signal("SIGTERM");
    assertEquals(await gateway.ended, 0, gateway.output());
    assert((await Deno.stat(`${root}/data/sluice.db`)).size > 0, "the row was written");
    assert((await health(port)).code !== 0, "a gateway that has ended is not healthy");
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("the container runs as a user without rights, and says where it listens", () => {
  assertEquals(only("USER"), "deno");
  assertEquals(only("STOPSIGNAL"), "SIGTERM");
  const port = all("ENV").find((line) => line.startsWith("PORT="))!.slice("PORT=".length);
  assertEquals(only("EXPOSE"), port);
  assert(all("ENV").includes("HOST=0.0.0.0"));
  assert(
    STEPS.findIndex(([is]) => is === "USER") > STEPS.findLastIndex(([is]) => is === "RUN"),
    "the last RUN is root's",
  );
});

Deno.test("the container's folder has what is copied, and nothing else", async () => {
  const kept = (await Deno.readTextFile(`${ROOT}/.dockerignore`)).trim().split("\n");
  assertEquals(kept[0], "*");
  const copied = all("COPY").flatMap((line) => line.split(" ").slice(0, -1));
  assertEquals(kept.slice(1).map((line) => line.slice(1)).sort(), copied.sort());
});

// ---------------------------------------------------------------- compose.yaml

const COMPOSE = parse(await Deno.readTextFile(`${ROOT}/compose.yaml`));

/** The variables that its first lines ask for. */
const GIVEN: Record<string, string> = {
  POSTGRES_PASSWORD: "0123456789abcdef",
  SLUICE_TOKENS: "my-token",
  SLUICE_ADMIN_TOKEN: "the-operators-token",
};

/** A service's environment, with the variables that it reads. */
const environmentOf = (service: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries<string>(COMPOSE.services[service].environment ?? {}).map(([name, value]) => [
      name,
      value.replaceAll(/\$\{(\w+)[^}]*\}/g, (_, name) => GIVEN[name] ?? ""),
    ]),
  );

Deno.test("compose.yaml is as the schema of Compose wants it", async (t) => {
  let schema: string;
  try {
    schema = await Deno.readTextFile(
      `${await installed("compose", ["dclint@3.1.0"])}/node_modules/dclint/schemas/compose.schema.json`,
    );
  } catch (error) {
    if (!(error instanceof NoNetwork)) throw error;
    return void await t.step({ name: "ignored: npm has no network", ignore: true, fn() {} });
  }
  // Ajv knows the draft by an address with http.
  const { $schema: _, ...rules } = JSON.parse(schema);
  const validate = new Ajv({ strict: false, validateFormats: false }).compile(rules);
  const faults = (file: unknown) => validate(file) ? [] : validate.errors;
  assertEquals(faults(COMPOSE), []);
  assert(faults({ services: {}, servces: {} })!.length > 0, "the schema refuses what is misspelt");
});

Deno.test("compose.yaml starts the gateway with settings that it takes, and stops it after its answers", () => {
  const { services } = COMPOSE;
  const { sluice } = services;
  const env = environmentOf("sluice");
  const { drainMs, warnings } = readEnv((name) => env[name], Object.keys(env));
  assertEquals(warnings, []);
  assert(Number.parseInt(sluice.stop_grace_period) * 1000 > drainMs);
  readStoreUrls(env.SLUICE_STORE);
  const urls = env.SLUICE_STORE.split(",").map((url) => new URL(url));
  assertEquals(urls.map(({ protocol }) => protocol), ["redis:", "postgres:"]);
  for (const { hostname } of urls) {
    assert(services[hostname].healthcheck, `${hostname} is waited for`);
    assertEquals(sluice.depends_on[hostname], { condition: "service_healthy" });
  }
  // Nobody else on the network reaches the port until the operator says so.
  assertEquals(sluice.ports, ["127.0.0.1:8787:8787"]);
  assert(Object.values<{ restart: string }>(services).every(({ restart }) => restart === "unless-stopped"));
});

/** Runs the health check of a service. @param more Arguments for the server's port, which is not the usual one. */
async function isHealthy(
  service: string,
  env: Record<string, string>,
  more: string[] = [],
): Promise<boolean> {
  const [kind, ...words]: string[] = COMPOSE.services[service].healthcheck.test;
  const [program, ...args] = kind === "CMD" ? words : ["sh", "-c", ...words];
  const command = new Deno.Command(program, {
    args: [...more, ...args],
    env,
    stdout: "null",
    stderr: "null",
  });
  return (await command.output()).success;
}

/** Starts Redis by the command of its service. */
async function startRedisOf(folder: string): Promise<{ port: string; end(): Promise<unknown> }> {
  const port = `${freePort()}`;
  const [program, ...args]: string[] = COMPOSE.services.redis.command;
  const child = new Deno.Command(program, {
    args: [...args, "--port", port, "--bind", "127.0.0.1", "--dir", folder],
    stdout: "null",
  }).spawn();
  while (!await isHealthy("redis", {}, ["-p", port])) await new Promise((resolve) => setTimeout(resolve, 50));
  return { port, end: () => (child.kill(), child.status) };
}

Deno.test({
  name: "the services of compose.yaml, on this machine's servers, keep rows and counts over a restart",
  ignore: (noPostgres ?? noRedis) !== undefined,
  async fn() {
    const root = await Deno.makeTempDir();
    const database = await startPostgres();
    const redis = await startRedisOf(root);
    try {
      const sql = postgres(database.url, { onnotice: () => {} });
      const { POSTGRES_USER, POSTGRES_DB, POSTGRES_PASSWORD } = environmentOf("postgres");
      await sql.unsafe(`create database ${POSTGRES_DB}`);
      await sql.unsafe(`alter user ${POSTGRES_USER} password '${POSTGRES_PASSWORD}'`);
      await sql.end();
      const path = `${postgresFolder()}:${Deno.env.get("PATH")}`;
      const pg = { PATH: path, PGHOST: "127.0.0.1", PGPORT: `${database.port}` };
      assert(await isHealthy("postgres", pg));
      assert(!await isHealthy("postgres", { ...pg, PGPORT: `${freePort()}` }));

      const { env, cwd } = await build(root);
      const settings = environmentOf("sluice");
      const SLUICE_STORE = settings.SLUICE_STORE.replace("redis:6379", `127.0.0.1:${redis.port}`)
        .replace("postgres:5432", `127.0.0.1:${database.port}`);
      const SLUICE_TOKENS = JSON.stringify([{ token: "my-token", limits: { rpm: 1 } }]);
      const command: string[] = JSON.parse(inside(root, only("CMD")));
      const start = ["-c", 'cd "$0" && exec "$@"', cwd, ...command];
      const statuses: number[] = [];
      for (let at = 0; at < 2; at++) {
        await using gateway = await startServed("sh", start, {
          ...env,
          ...settings,
          SLUICE_STORE,
          SLUICE_TOKENS,
          PORT: "0",
        });
        const url = gateway.url.replace("0.0.0.0", "127.0.0.1");
        const answer = await fetch(`${url}/v1/chat/completions`, {
          method: "POST",
          headers: { "content-type": "application/json", authorization: "Bearer my-token" },
          body: JSON.stringify({ model: "demo/echo", messages: [{ role: "user", content: "Hello" }] }),
        });
        await answer.text();
        statuses.push(answer.status);
        const headers = { authorization: `Bearer ${settings.SLUICE_ADMIN_TOKEN}` };
        const { rows } = await (await fetch(`${url}/sluice/api/logs`, { headers })).json();
        assertEquals(rows.map(({ status }: { status: number }) => status), statuses.toReversed());
        gateway.signal("SIGTERM");
        assertEquals(await gateway.ended, 0, gateway.output());
      }
      assertEquals(statuses, [200, 429]);
    } finally {
      await redis.end();
      await database.end();
      await Deno.remove(root, { recursive: true });
    }
  },
});
