/** Checks the options of a provider's row. An option that would have no effect is refused. */
import { WIRES } from "../../providers/kinds.ts";
import { findProvider } from "../../providers/table.ts";
import type { OwnSetting, Provider } from "../../providers/types.ts";
import type { ProviderOptions } from "./provider_options.ts";

/** Clients name an operator's own row as `{slug}` or, as at Cloudflare, as `custom-{slug}`. */
export const CUSTOM = "custom-";

const fault = (option: string, why: string) => new TypeError(`Cannot use option providers.${option}: ${why}`);

/** Options that only some rows have, with the reason why another row does not. */
const OWN_SETTINGS: Readonly<Record<OwnSetting, string>> = {
  apiVersion: "this provider's URLs hold no version of Azure's API",
  baseModels: "this provider's ids tell the model",
  location: "this provider's URLs hold no location of Google's",
  project: "this provider's URLs hold no project of Google's",
  region: "this provider's URLs hold no region of Amazon's",
  resource: "this provider's URLs hold no resource of Azure's",
};

/** @throws TypeError for two names of the same row: the settings under one name would be lost. */
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
 * Checks the changes to a row of the table, or an operator's own row.
 *
 * @param known The row of the table; `undefined` for an own row.
 * @throws TypeError that names the faulty option.
 */
export function checkRow(name: string, options: ProviderOptions, known: Provider | undefined): void {
  if (known) checkKnown(name, options, known);
  else checkOwnName(name);
  for (const setting of Object.keys(OWN_SETTINGS) as OwnSetting[]) {
    if (options[setting] === undefined || known?.settings?.includes(setting)) continue;
    throw fault(`${name}.${setting}`, OWN_SETTINGS[setting]);
  }
  checkWire(name, options, known);
  checkFields(name, options);
  checkHeaders(name, options);
}

/** First segments of the gateway's own paths. A provider cannot have such a name: `/{provider}/…` is a path too. */
const DOORS: ReadonlySet<string> = new Set([
  ...["api", "chat", "client", "compat", "completions", "embeddings", "health", "messages", "metrics"],
  ...["models", "rerank", "responses", "sluice", "v1", "v2"],
]);

function checkOwnName(name: string): void {
  const slug = name.startsWith(CUSTOM) ? name.slice(CUSTOM.length) : name;
  if (!/^\w[\w.-]*$/.test(name)) {
    throw fault(
      name,
      "a provider's name may only contain letters, digits, _, . and -, and must not begin with . or -",
    );
  }
  if (DOORS.has(slug.toLowerCase())) {
    throw fault(name, `the gateway has a path of its own at /${slug}; choose another name`);
  }
  const meant = findProvider(name.toLowerCase());
  if (meant) throw fault(name, `names are in lower case; did you mean ${name.toLowerCase()}?`);
}

/** Columns that have an effect only on rows with chat completions. */
const OF_CHAT = ["chatPath", "conform", "drop", "rename", "responses", "wire"] as const;

/** Columns that have an effect only on rows that are reached over the network. */
const OF_NETWORK = [
  "auth",
  "baseUrl",
  "chatPath",
  "conform",
  "headers",
  "responses",
  "traces",
  "wire",
] as const;

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

/** Why a column has no effect on a row of another wire. */
const WRITTEN_ANEW = {
  chatPath: "this provider's wire has paths of its own",
  conform: "this provider's answers are always written anew",
  rename: "this provider's requests are always written anew",
  responses: "this provider does not speak chat completions",
} as const;

/** Refuses columns that have an effect only on rows of the wire `openai`. */
function checkWire(name: string, options: ProviderOptions, known: Provider | undefined): void {
  const [named] = typeof options.wire === "string" ? [options.wire] : options.wire ?? [];
  const wire = named ? WIRES[named] : known?.wires[0].wire;
  if (!wire || wire.name === "openai") return;
  for (const column of ["chatPath", "conform", "rename", "responses"] as const) {
    if (options[column] === undefined) continue;
    throw fault(`${name}.${column}`, `it is for providers of the wire openai, and ${WRITTEN_ANEW[column]}`);
  }
}

/** Fields that the gateway itself writes or reads. No other field may get their names. */
const ITS_OWN: ReadonlySet<string> = new Set(["messages", "model", "models", "stream"]);

/** Refuses renamings by which a field would be lost. */
function checkFields(name: string, { drop = [], rename = {} }: ProviderOptions): void {
  const taken = new Map<string, string>();
  for (const [from, to] of Object.entries(rename)) {
    const option = `${name}.rename.${from}`;
    if (drop.some((field) => field === from)) {
      throw fault(option, "drop names this field too; take it out of one of them");
    }
    if (ITS_OWN.has(to)) {
      throw fault(option, `the gateway itself writes or reads ${to}; choose another new name`);
    }
    const other = taken.get(to);
    if (other !== undefined) throw fault(option, `${other} has the same new name`);
    taken.set(to, from);
  }
}

/** Headers of the connection. `fetch` sets them itself. */
const OF_CONNECTION =
  /^(?:connection|content-length|expect|keep-alive|te|trailer|transfer-encoding|upgrade)$/i;

function checkHeaders(name: string, { headers = {}, auth }: ProviderOptions): void {
  const seen = new Set<string>();
  for (const header of Object.keys(headers)) {
    const lower = header.toLowerCase();
    if (OF_CONNECTION.test(lower)) {
      throw fault(`${name}.headers`, `${lower} belongs to the connection; leave it out`);
    }
    if (seen.has(lower)) throw fault(`${name}.headers`, `${lower} is there twice, in different letter cases`);
    seen.add(lower);
  }
  if (auth && OF_CONNECTION.test(auth.header)) {
    throw fault(`${name}.auth.header`, `${auth.header} belongs to the connection and cannot hold a key`);
  }
}
