/**
 * Builds `dist/sluice.js`, the whole gateway in one file that Deno, Bun and workerd run as it is.
 *
 * Run it with `deno task bundle`.
 *
 * @module
 */

/** The project's folder, without a slash at the end. */
export const ROOT = import.meta.dirname!.replace(/\/tests$/, "");

/** What was built. */
export interface Built {
  path: string;
  bytes: number;
  gzipBytes: number;
}

/**
 * Bundles and minifies a module into `path`.
 *
 * @param module Its name in the project's folder; `cloudflare:workers` stays an import in it.
 */
export async function bundle(path: string, module = "mod.ts"): Promise<Built> {
  const external = ["--external", "cloudflare:workers"];
  const command = new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--minify", ...external, "--output", path, `${ROOT}/${module}`],
    cwd: ROOT,
  });
  const { success, stderr } = await command.output();
  if (!success) throw new Error(`Cannot bundle ${module}: ${new TextDecoder().decode(stderr)}`);
  const code = await Deno.readFile(path);
  const packed = new Response(code).body!.pipeThrough(new CompressionStream("gzip"));
  return { path, bytes: code.length, gzipBytes: (await new Response(packed).arrayBuffer()).byteLength };
}

if (import.meta.main) {
  await Deno.mkdir(`${ROOT}/dist`, { recursive: true });
  const { path, bytes, gzipBytes } = await bundle(`${ROOT}/dist/sluice.js`);
  const kB = (count: number) => `${(count / 1000).toFixed(1)} kB`;
  console.log(`${path.slice(ROOT.length + 1)}: ${kB(bytes)} minified, ${kB(gzipBytes)} gzipped`);
}
