/** Runs a program of the tests on every runtime. */
import { bundle } from "../bundle.ts";
import { bunBinary } from "./binaries.ts";
import { DENO, run, serveWorkerd, workerConfig } from "./gateways.ts";

/** Runs programs on a runtime. */
interface OnRuntime {
  runtime: string;
  /** Runs a module, by its name in the project's folder, whose default export has a `fetch` that answers with JSON. */
  answer(module: string): Promise<unknown>;
}

/** Runs a line of code that prints JSON. */
async function printed(command: string, args: string[], path: string): Promise<unknown> {
  const line = `import app from "${path}"; console.log(await (await app.fetch()).text());`;
  const { code, output } = await run(command, [...args, line]);
  if (code !== 0) throw new Error(output);
  return JSON.parse(output);
}

/** The module in one file. Only Deno finds the packages of tests by their specifiers. */
async function bundled<T>(module: string, use: (path: string) => Promise<T>): Promise<T> {
  const path = await Deno.makeTempFile({ suffix: ".js" });
  try {
    await bundle(path, module);
    return await use(path);
  } finally {
    await Deno.remove(path);
  }
}

async function onWorkerd(path: string): Promise<unknown> {
  const files = { "program.js": await Deno.readTextFile(path) };
  await using worker = await serveWorkerd([await workerConfig("program", "program.js", [])], files, {});
  const response = await fetch(worker.url);
  const text = await response.text();
  if (response.status !== 200) throw new Error(text + worker.output());
  return JSON.parse(text);
}

export const ON_RUNTIMES: OnRuntime[] = [
  { runtime: "Deno", answer: (module) => printed(DENO, ["eval", "--quiet", "--no-check"], `./${module}`) },
  {
    runtime: "Bun",
    answer: async (module) => {
      const bun = await bunBinary();
      return await bundled(module, (path) => printed(bun, ["-e"], path));
    },
  },
  { runtime: "workerd", answer: (module) => bundled(module, onWorkerd) },
];
