/** The provider table: a row per provider, and finding one by the name that a client wrote. */
import { anthropicMessages } from "../wires/anthropic_messages.ts";
import { cohere } from "../wires/cohere.ts";
import { openaiChat } from "../wires/openai_chat.ts";
import type { ProviderWire, SameWire } from "../wires/types.ts";
import type { Auth, Provider, Row } from "./types.ts";

/** The formats that providers speak, by the name that options use. */
export const WIRES = {
  anthropic: anthropicMessages,
  cohere,
  openai: openaiChat,
} satisfies Record<string, ProviderWire | SameWire>;

/** `authorization: Bearer KEY`. */
export const bearer: Auth = { header: "authorization", prefix: "Bearer " };

/** A bare key in a header of its own, e.g. `x-api-key: KEY`. */
export function header(name: string): Auth {
  return { header: name, prefix: "" };
}

/** A provider that speaks OpenAI chat completions below `baseUrl` and takes a bearer key. */
export function compatible(baseUrl: string, columns: Partial<Row> = {}): Row {
  return { baseUrl, wire: openaiChat, auth: bearer, ...columns };
}

/** For base URLs that end before the version segment. */
const V1 = { chatPath: "/v1/chat/completions", modelsPath: "/v1/models" };

const ROWS = {
  anthropic: {
    baseUrl: "https://api.anthropic.com",
    wire: anthropicMessages,
    auth: header("x-api-key"),
    modelsPath: "/v1/models",
    version: "v1",
    keyEnv: ["ANTHROPIC_API_KEY"],
  },
  cerebras: compatible("https://api.cerebras.ai/v1", { keyEnv: ["CEREBRAS_API_KEY"] }),
  cohere: {
    baseUrl: "https://api.cohere.com",
    wire: cohere,
    auth: bearer,
    modelsPath: "/v1/models",
    keyEnv: ["CO_API_KEY", "COHERE_API_KEY"],
  },
  deepseek: compatible("https://api.deepseek.com", { keyEnv: ["DEEPSEEK_API_KEY"] }),
  grok: compatible("https://api.x.ai", { ...V1, aliases: ["xai"], keyEnv: ["XAI_API_KEY"] }),
  groq: compatible("https://api.groq.com/openai/v1", { keyEnv: ["GROQ_API_KEY"] }),
  mistral: compatible("https://api.mistral.ai", { ...V1, keyEnv: ["MISTRAL_API_KEY"] }),
  openai: compatible("https://api.openai.com/v1", { keyEnv: ["OPENAI_API_KEY"] }),
  openrouter: compatible("https://openrouter.ai/api", { ...V1, keyEnv: ["OPENROUTER_API_KEY"] }),
  "perplexity-ai": compatible("https://api.perplexity.ai", {
    aliases: ["perplexity"],
    keyEnv: ["PERPLEXITY_API_KEY"],
  }),
  "workers-ai": compatible("https://api.cloudflare.com/client/v4/accounts/{account}/ai/v1", {
    keyEnv: ["CLOUDFLARE_API_TOKEN", "CLOUDFLARE_API_KEY"],
  }),
} satisfies Record<string, Row>;

/** Every provider by its name; aliases are in `findProvider`. */
export const PROVIDERS: ReadonlyMap<string, Provider> = new Map(
  Object.entries(ROWS).map(([name, row]) => [name, { name, ...row }]),
);

/** The providers of a table under their names and their aliases. A name wins over an alias. */
export function indexProviders(providers: Iterable<Provider>): ReadonlyMap<string, Provider> {
  const index = new Map<string, Provider>();
  const all = [...providers];
  for (const provider of all) for (const alias of provider.aliases ?? []) index.set(alias, provider);
  for (const provider of all) index.set(provider.name, provider);
  return index;
}

// Maps throughout: names come from clients, and `constructor` must not resolve.
const INDEX = indexProviders(PROVIDERS.values());

/** The provider of a name or an alias, e.g. `xai` for `grok`. */
export function findProvider(
  name: string,
  index: ReadonlyMap<string, Provider> = INDEX,
): Provider | undefined {
  return index.get(name);
}

/**
 * Names close to what a client wrote, the nearest first, for an error message.
 *
 * Near is a name that begins with the text or differs from it by a third of its letters at most, whatever their case.
 *
 * @returns At most `count` names or aliases; none when nothing is near.
 */
export function nearestNames(
  name: string,
  index: ReadonlyMap<string, Provider> = INDEX,
  count = 3,
): string[] {
  // Longer than any name: not worth the square of its length.
  if (name === "" || name.length > 64) return [];
  const wanted = name.toLowerCase();
  const near: { name: string; distance: number }[] = [];
  for (const known of index.keys()) {
    const distance = Math.min(editDistance(wanted, known), known.startsWith(wanted) ? 1 : Infinity);
    if (distance <= Math.max(1, Math.floor(known.length / 3))) near.push({ name: known, distance });
  }
  return near.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1)).slice(0, count)
    .map((one) => one.name);
}

/** Insertions, deletions, replacements and swaps of neighbours that turn one text into the other. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + changed);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, before[j - 2] + 1);
      }
      next.push(least);
    }
    before = row;
    row = next;
  }
  return row[b.length];
}
