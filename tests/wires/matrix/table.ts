/**
 * Shows what the gateway makes of each part of a request, by the formats of client and provider. Prints it as Markdown.
 *
 * ```sh
 * deno task table
 * ```
 *
 * @module
 */
import { type Json, lab } from "../../acceptance/lab.ts";
import { type Client, CLIENTS } from "./clients.ts";
import type { Feature } from "./feature.ts";
import { FEATURES } from "./features.ts";
import { type Column, COLUMNS } from "./providers.ts";

/** The file that is printed. */
export const FILE = new URL("../../../docs/translation.md", import.meta.url);

/** What becomes of something. */
export type Fate = "same" | "mapped" | "emulated" | "dropped" | "left out" | "refused" | "lost";

/** What was asked of a provider, and what the client was told of it. */
interface Sent {
  status: number;
  body?: Json;
  dropped: string[];
}

async function send(client: Client, column: Column, more: Json): Promise<Sent> {
  const { gateway, asked } = lab(() => Response.json(column.fake.whole(ANSWER)));
  const body = { ...client.body(column.model, { user: "Hi" }, []), ...more };
  const response = await gateway.fetch(
    new Request(`http://gateway.test${client.path}`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: "Bearer key" },
      body: JSON.stringify(body),
    }),
  );
  await response.body?.cancel();
  const names = response.headers.get("sluice-dropped");
  return { status: response.status, body: asked[0]?.body, dropped: names ? names.split(", ") : [] };
}

const ANSWER = {
  name: "text",
  text: ["Hi"],
  finish: "stop" as const,
  usage: { prompt: 1, cached: 0, completion: 1 },
};

/** The fate of a feature in one cell, and whether a part of it is dropped. */
export async function fateOf(feature: Feature, client: Client, column: Column): Promise<[Fate, boolean]> {
  const { mark = "", places, says, base: without } = feature;
  const base = await send(client, column, without?.[client.wire] ?? {});
  const sent = await send(client, column, says[client.wire]!);
  if (sent.status === 400 || !sent.body) return ["refused", false];
  const isPart = sent.dropped.length > base.dropped.length;
  const [before, after] = [base.body!, sent.body].map((body) =>
    JSON.stringify(at(body, places[column.wire]))
  );
  if (after !== before && holds(after, mark)) {
    return [client.wire === column.wire ? "same" : "mapped", isPart];
  }
  const text = JSON.stringify(sent.body);
  const isSaid = mark ? holds(text, mark) : text !== JSON.stringify(base.body);
  if (isSaid) return [client.wire === column.wire ? "same" : "emulated", isPart];
  return [isPart ? "dropped" : feature.silent ? "left out" : "lost", false];
}

/** Whether a JSON text holds a mark, also as JSON within JSON. */
export const holds = (json: string, mark: string) =>
  json.includes(mark) || json.includes(JSON.stringify(mark).slice(1, -1));

/** All that stands at the places. */
function at(body: Json, places = ""): unknown[] {
  return places.split("|").filter(Boolean).flatMap((place) => {
    let found: unknown[] = [body];
    for (const step of place.split(".")) {
      const [, name, key, value] = /^([^[]*)(?:\[(\w+)=(\w+)\])?$/.exec(step)!;
      found = found.flatMap((one) => name === "*" ? Array.isArray(one) ? one : [] : [(one as Json)?.[name]]);
      if (key) found = found.filter((one) => String((one as Json)?.[key]) === value);
      found = found.filter((one) => one !== undefined && one !== null);
    }
    return found;
  });
}

// ---------------------------------------------------------------- the page

const columnsOf = (client: Client) =>
  COLUMNS.filter(({ name }) => !(client.wire === "responses" && name === "OpenAI chat"));

/** The page, as it must stand in `docs`. */
export async function page(): Promise<string> {
  const out = [HEAD];
  for (const client of CLIENTS) {
    const columns = columnsOf(client);
    out.push(
      `## ${TITLES[client.wire]}\n`,
      line(["part of the request", ...columns.map(({ name }) => name)]),
      line(["---", ...columns.map(() => "---")]),
    );
    for (const feature of FEATURES.filter(({ says }) => says[client.wire])) {
      const cells = await Promise.all(columns.map(async (column) => {
        const [fate, isPart] = await fateOf(feature, client, column);
        return isPart ? `${fate}*` : fate;
      }));
      out.push(line([feature.name, ...cells]));
    }
    out.push("");
  }
  return out.join("\n");
}

const line = (cells: string[]) => `| ${cells.join(" | ")} |`;

const TITLES: Record<string, string> = {
  openai: "Chat completions to …",
  anthropic: "Messages to …",
  responses: "Responses to …",
};

const HEAD = `# How requests are translated

These tables are printed by \`deno task table\`, from the requests that the gateway sends. A test compares this page with a new print.

- **same**: the provider speaks the client's format, so the body is handed through.
- **mapped**: the provider's format has a place of its own for it.
- **emulated**: it is written in another way, e.g. as text in the prompt or as a function.
- **dropped**: it is left out and named in \`sluice-dropped\`; with \`sluice-strict: true\` the request is refused instead.
- **left out**: it has no meaning for the provider, and is not named.
- **refused**: 400, with the reason.
- A star: a part of it is dropped, and named.

The models are those of [tests/wires/matrix/providers.ts](../tests/wires/matrix/providers.ts). Other generations of a model refuse more,
which is then dropped too: see [dropped.md](dropped.md).
`;

if (import.meta.main) await Deno.writeTextFile(FILE, await page());
