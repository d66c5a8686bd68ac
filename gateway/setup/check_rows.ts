/** Checks what options say of a provider's row: what would mean nothing is refused, and not taken in silence. */
import { WIRES } from "../../providers/kinds.ts";
import { findProvider } from "../../providers/table.ts";
import type { Provider } from "../../providers/types.ts";
import type { ProviderOptions } from "./options.ts";

/** Rows of one's own are found as `{slug}` and, as in the service we replace, as `custom-{slug}`. */
export const CUSTOM = "custom-";

const fault = (option: string, why: string) => new TypeError(`Cannot use option providers.${option}: ${why}`);

/** @throws TypeError for two names of one row: one of them would win, and the other be lost. */
export function checkNames(names: readonly string[]): void {
  const rows = new Map<string, string>();
  for (const name of names) {
    const slug = name.startsWith(CUSTOM) ? name.slice(CUSTOM.length) : name;
    const row = findProvider(name)?.name ?? (findProvider(slug) ? name : slug);
    const other = rows.get(row);
    if (other !== undefined) throw fault(name, `it is the same provider as providers.${other}`);
    rows.set(row, name);
  }
}

/**
 * Checks the changes to a row of the table, or a row of one's own.
 *
 * @param known The row of the table; `undefined` for one's own.
 * @throws TypeError that names the option at fault.
 */
export function checkRow(name: string, options: ProviderOptions, known: Provider | undefined): void {
  if (known) checkKnown(name, options, known);
  else checkOwnName(name);
  checkWire(name, options, known);
  checkFields(name, options);
  checkHeaders(name, options);
}

/** First segments of the gateway's own paths: a provider at the root of a custom domain cannot have them. */
const DOORS: ReadonlySet<string> = new Set([
  ...["chat", "client", "compat", "completions", "embeddings", "health", "messages", "metrics", "models"],
  ...["rerank", "responses", "sluice", "v1", "v2"],
]);

function checkOwnName(name: string): void {
  const slug = name.startsWith(CUSTOM) ? name.slice(CUSTOM.length) : name;
  if (!/^\w[\w.-]*$/.test(name)) throw fault(name, "it is no name that a model can begin with");
  if (DOORS.has(slug.toLowerCase())) throw fault(name, `${slug} is the name of a path of the gateway's own`);
  const meant = findProvider(name.toLowerCase());
  if (meant) throw fault(name, `names are in lower case; did you mean ${name.toLowerCase()}?`);
}

/** Columns that only a row with chat completions reads. */
const OF_CHAT = ["chatPath", "conform", "drop", "rename", "responses", "wire"] as const;

/** Columns that only a row on the network reads. */
const OF_NETWORK = ["auth", "baseUrl", "chatPath", "conform", "headers", "responses", "wire"] as const;

function checkKnown(name: string, options: ProviderOptions, { chat, fetch }: Provider): void {
  const find = (columns: readonly (keyof ProviderOptions)[]) =>
    columns.find((column) => options[column] !== undefined);
  const ofChat = chat === false ? find(OF_CHAT) : undefined;
  if (ofChat) {
    throw fault(`${name}.${ofChat}`, "this provider has no chat completions here, only its own paths");
  }
  const ofNetwork = fetch ? find(OF_NETWORK) : undefined;
  if (ofNetwork) throw fault(`${name}.${ofNetwork}`, "this provider is built in, and nothing is sent to it");
}

/** Why a column says nothing on a row of another wire. */
const WRITTEN_ANEW = {
  chatPath: "this one's wire has paths of its own",
  conform: "an answer is written anew for this one",
  rename: "a request is written anew for this one",
  responses: "this one speaks no chat completions",
} as const;

/** Refuses what only a row of OpenAI's format can have. */
function checkWire(name: string, options: ProviderOptions, known: Provider | undefined): void {
  const [named] = typeof options.wire === "string" ? [options.wire] : options.wire ?? [];
  const wire = named ? WIRES[named] : known?.wires[0].wire;
  if (!wire || wire.name === "openai") return;
  for (const column of ["chatPath", "conform", "rename", "responses"] as const) {
    if (options[column] === undefined) continue;
    throw fault(`${name}.${column}`, `it is for providers of the wire openai, and ${WRITTEN_ANEW[column]}`);
  }
}

/** Fields that the gateway itself writes or reads. */
const ITS_OWN: ReadonlySet<string> = new Set(["messages", "model", "models", "stream"]);

/** Refuses fields of which one would get lost. */
function checkFields(name: string, { drop = [], rename = {} }: ProviderOptions): void {
  const taken = new Map<string, string>();
  for (const [from, to] of Object.entries(rename)) {
    const option = `${name}.rename.${from}`;
    if (drop.some((field) => field === from)) throw fault(option, "the field is in drop too");
    if (ITS_OWN.has(to)) throw fault(option, `no other field may be called ${to}`);
    const other = taken.get(to);
    if (other !== undefined) throw fault(option, `${other} has the same new name`);
    taken.set(to, from);
  }
}

/** Headers of the connection, which `fetch` sets itself. */
const OF_CONNECTION =
  /^(?:connection|content-length|expect|keep-alive|te|trailer|transfer-encoding|upgrade)$/i;

function checkHeaders(name: string, { headers = {}, auth }: ProviderOptions): void {
  const seen = new Set<string>();
  for (const header of Object.keys(headers)) {
    const lower = header.toLowerCase();
    if (OF_CONNECTION.test(lower)) throw fault(`${name}.headers`, `${lower} belongs to the connection`);
    if (seen.has(lower)) throw fault(`${name}.headers`, `${lower} is there twice, in capitals and without`);
    seen.add(lower);
  }
  if (auth && OF_CONNECTION.test(auth.header)) {
    throw fault(`${name}.auth.header`, `${auth.header} belongs to the connection`);
  }
}
