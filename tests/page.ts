/**
 * Writes `gateway/doors/page/page.ts`, the gateway's page as one text, from the files beside it: text imports differ on every
 * runtime, and none works from a URL everywhere.
 *
 *     deno task page
 *
 * @module
 */
import { ROOT } from "./bundle.ts";

const FOLDER = `${ROOT}/gateway/doors/page`;
export const PAGE_FILE = `${FOLDER}/page.ts`;

/** In an order in which each imports only those before it. */
const SCRIPTS = ["dom", "format", "start", "charts", "life", "explain", "try", "requests", "keys", "main"];

const read = (name: string) => Deno.readTextFile(`${FOLDER}/${name}`);

/** Without indentation and blank lines. */
const slim = (text: string) => text.split("\n").map((line) => line.trim()).filter(Boolean).join("\n");

/** A rule on one line. A selector keeps its blanks, which have a meaning. */
const slimStyle = (text: string) =>
  slim(text).replaceAll(/([{;,])\n/g, "$1").replaceAll(/;?\n?\}/g, "}").replaceAll(/: /g, ":").replaceAll(
    " {",
    "{",
  );

/** Modules as one script: what they import stands before them. */
async function script(): Promise<string> {
  const texts = await Promise.all(SCRIPTS.map((name) => read(`${name}.js`)));
  const joined = texts.map((text) => text.replaceAll(/^import [^;]*;\n/gm, "").replaceAll(/^export /gm, ""));
  const names = [...joined.join("\n").matchAll(/^(?:async )?(?:function\*?|const|let|class) (\w+)/gm)].map((
    [, name],
  ) => name);
  const twice = names.find((name, at) => names.indexOf(name) < at);
  if (twice) throw new Error(`Two files of the page have something called ${twice}`);
  return `(() => {\n"use strict";\n${slimScript(joined.join("\n"))}\n})();`;
}

/** Without comments. What stands in a text over several lines keeps its indentation. */
function slimScript(code: string): string {
  const bare = code.replaceAll(/^[ \t]*\/\/.*\n/gm, "").replaceAll(/^[ \t]*\/\*\*[^]*?\*\/\n/gm, "");
  return bare.split(/(`[^`]*`)/).map((part, at) => at % 2 === 1 ? part : slimCode(part)).join("");
}

const slimCode = (code: string) =>
  code.replaceAll(/^[ \t]+/gm, "").replaceAll(/\n{2,}/g, "\n")
    // A bracket or a comma needs no line break beside it.
    .replaceAll(/,?\n(?=[\])}])/g, "").replaceAll(/(?<=[[({,;])\n/g, "");

async function sha256(text: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `'sha256-${new Uint8Array(hash).toBase64()}'`;
}

/** The page, and what it may do. */
export async function makePage(): Promise<{ page: string; policy: string }> {
  const css = slimStyle(await read("page.css"));
  const js = await script();
  if (/<\/(?:script|style)|<!--/i.test(css + js)) {
    throw new Error("The page would end in the middle of its code");
  }
  const page = slim(await read("page.html"))
    .replace(/<style>\s*<\/style>/, () => `<style>${css}</style>`)
    .replace(/<script>\s*<\/script>/, () => `<script>${js}</script>`);
  const policy = [
    "default-src 'none'",
    `script-src ${await sha256(js)}`,
    `style-src ${await sha256(css)}`,
    "img-src data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");
  return { page, policy };
}

/** The module that holds them. */
export async function pageModule(): Promise<string> {
  const { page, policy } = await makePage();
  return `// deno-fmt-ignore-file
/** The gateway's page. Made by \`deno task page\` from the files beside it; not to be edited. */

/** One document, with its style and its script in it. */
export const PAGE: string = ${JSON.stringify(page)};

/** Its \`content-security-policy\`. */
export const PAGE_POLICY: string = ${JSON.stringify(policy)};
`;
}

if (import.meta.main) {
  const text = await pageModule();
  await Deno.writeTextFile(PAGE_FILE, text);
  console.log(`${PAGE_FILE.slice(ROOT.length + 1)}: ${text.length} bytes`);
}
