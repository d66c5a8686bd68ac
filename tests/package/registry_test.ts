/** The one line that starts the command on each runtime once the package is published: a registry here has the packed file. */
import { assertEquals } from "@std/assert";
import { bunBinary } from "../runtimes/binaries.ts";
import { DENO } from "../runtimes/gateways.ts";
import { PACKAGE } from "./build.ts";
import { installPackage, runIn, startGroup, testPackage } from "./installed.ts";
import { npm } from "./tools.ts";

/** A registry with the package, which passes on what npm's has. */
async function startRegistry(file: string): Promise<Deno.HttpServer<Deno.NetAddr>> {
  const packed = await Deno.readFile(file);
  const manifest = JSON.parse(await Deno.readTextFile(`${PACKAGE}/package.json`));
  const upstream = (await npm(["config", "get", "registry"], Deno.cwd())).trim().replace(/\/$/, "");
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-512", packed));
  const integrity = `sha512-${digest.toBase64()}`;
  const { name, version } = manifest;
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async ({ url, headers }) => {
    const { pathname, origin } = new URL(url);
    if (pathname === "/sluice.tgz") return new Response(packed);
    if (decodeURIComponent(pathname) === `/${name}`) {
      const dist = { tarball: `${origin}/sluice.tgz`, integrity };
      return Response.json({
        name,
        "dist-tags": { latest: version },
        versions: { [version]: { ...manifest, dist } },
      });
    }
    const { status, body } = await fetch(upstream + pathname, {
      headers: { accept: headers.get("accept") ?? "*/*" },
    });
    return new Response(body, { status, headers: { "content-type": "application/json" } });
  });
}

testPackage(
  "one line starts the command from a registry with npx, bunx and deno",
  await installPackage(),
  async ({ file }) => {
    const registry = await startRegistry(file);
    const folder = await Deno.makeTempDir({ prefix: "sluice-registry-" });
    const url = `http://127.0.0.1:${registry.addr.port}/`;
    const bun = await bunBinary();
    await Deno.symlink(bun, `${folder}/bunx`);
    await Deno.symlink(DENO, `${folder}/deno`);
    const env = {
      PATH: `${folder}:${folder}/installed/bin:${Deno.env.get("PATH")}`,
      NPM_CONFIG_REGISTRY: url,
      npm_config_registry: url,
      npm_config_cache: `${folder}/npm`,
      BUN_INSTALL_CACHE_DIR: `${folder}/bun`,
      DENO_DIR: `${folder}/deno-dir`,
    };
    const install = `deno install --global --allow-all --root ${folder}/installed npm:@sluice/gateway`;
    try {
      const installed = await runIn(folder, "sh", ["-c", install], env);
      assertEquals(installed.code, 0, installed.output);
      const lines = [
        "npx --yes @sluice/gateway",
        "bunx @sluice/gateway",
        "bunx --bun @sluice/gateway",
        "sluice",
      ];
      for (const line of [...lines, "deno run --allow-all npm:@sluice/gateway"]) {
        await using gateway = await startGroup(folder, `${line} --port 0 --log off`, env);
        const response = await fetch(`${gateway.url}/v1/models/demo/echo`);
        assertEquals((await response.json()).id, "demo/echo", line);
      }
    } finally {
      await registry.shutdown();
      await Deno.remove(folder, { recursive: true });
    }
  },
);
