/**
 * Turns a `config.yaml` of LiteLLM's proxy into options of this gateway.
 *
 * @see https://docs.litellm.ai/docs/proxy/config_settings
 */
import { parse } from "npm:yaml@2.8.1";
import { findProvider, PROVIDERS } from "../providers/table.ts";
import { type Imported, isSection, type Reader, reader, variableOf } from "./litellm_file.ts";
import { ANY_SERVER, PREFIXES } from "./litellm_names.ts";
import { readGeneral, readSettings } from "./litellm_settings.ts";

/** @throws TypeError if the text is not such a file. */
export function importLitellm(text: string): Imported {
  let file: unknown;
  try {
    file = parse(text);
  } catch (cause) {
    throw new TypeError(`it is not YAML: ${(cause as Error).message.split("\n")[0]}`, { cause });
  }
  if (!isSection(file) || !Array.isArray(file.model_list)) {
    throw new TypeError("it has no list model_list, as a config.yaml of LiteLLM's proxy has");
  }
  const made: Imported = { config: {}, variables: [], left: [] };
  const top = reader(file, "", made.left);
  const sectionOf = (name: string) => {
    const value = top.take(name);
    return reader(isSection(value) ? value : {}, name, made.left);
  };
  const settings = [sectionOf("litellm_settings"), sectionOf("router_settings")];
  const general = sectionOf("general_settings");
  readModels(top.take("model_list") as unknown[], made);
  for (const section of settings) readSettings(section, made);
  readGeneral(general, made);
  const environment = top.take("environment_variables");
  for (const name of Object.keys(isSection(environment) ? environment : {})) {
    made.variables.push(`${name}: as in environment_variables`);
  }
  for (const section of [...settings, general, top]) section.end();
  made.variables = [...new Set(made.variables)];
  return made;
}

// ---------------------------------------------------------------- models

/** Where a deployment is. */
interface Place {
  /** The name of our row. */
  row: string;
  /** The model's name there. */
  model: string;
}

function readModels(list: readonly unknown[], made: Imported): void {
  const models: Record<string, string[]> = {};
  const keys: Keys = new Map();
  for (const [at, entry] of list.entries()) {
    const path = `model_list[${at}]`;
    if (!isSection(entry) || !isSection(entry.litellm_params)) {
      made.left.push(`${path}: is not a model: it needs model_name and litellm_params`);
      continue;
    }
    const whole = reader(entry, path, made.left);
    const params = reader(entry.litellm_params, `${path}.litellm_params`, made.left);
    const info = whole.take("model_info");
    whole.take("litellm_params");
    const name = whole.take("model_name");
    const model = params.take("model");
    if (typeof name !== "string" || typeof model !== "string") {
      made.left.push(`${path}: is not a model: it needs model_name, and model in litellm_params`);
      continue;
    }
    const place = placeOf(model, params, made);
    if (!place) continue;
    readKey(place.row, params, keys, made);
    readPrices(place, [params, reader(isSection(info) ? info : {}, `${path}.model_info`, made.left)], made);
    const target = targetOf(name, place);
    const targets = models[name] ??= [];
    if (!targets.includes(target)) targets.push(target);
    params.end();
    whole.end();
  }
  made.config.models = Object.fromEntries(
    Object.entries(models).map(([name, targets]) => [name, targets.length === 1 ? targets[0] : targets]),
  );
  writeKeys(keys, made);
}

/** LiteLLM's `openai/*` under the name `*` or `openai/*` is a pattern here too. Elsewhere a `*` has nothing to stand for. */
const targetOf = (name: string, { row, model }: Place): string =>
  `${row}/${model.includes("*") && !name.includes("*") ? model.replaceAll("*", "") : model}`;

function placeOf(model: string, params: Reader, made: Imported): Place | undefined {
  const slash = model.indexOf("/");
  const custom = params.take("custom_llm_provider");
  const prefix = typeof custom === "string" ? custom : slash < 0 ? "" : model.slice(0, slash);
  const id = slash < 0 || prefix !== model.slice(0, slash) ? model : model.slice(slash + 1);
  const base = params.take("api_base") ?? params.take("base_url");
  const known = prefix === "" ? bareProvider(id) : findProvider(PREFIXES.get(prefix) ?? prefix)?.name;
  if (ANY_SERVER.has(prefix) || prefix === "openai" && base !== undefined) {
    if (typeof base === "string" && !/^https:\/\/api\.openai\.com\//.test(base)) {
      return { row: ownRow(base, params.path, made), model: id };
    }
  }
  if (!known) {
    made.left.push(
      `${params.path}.model: ${JSON.stringify(model)} is of a provider that Sluice does not have`,
    );
    return undefined;
  }
  const row = made.config.providers?.[known] ?? {};
  if (base !== undefined) setOnce(row, "baseUrl", base, `${params.path}.api_base`, known, made);
  for (const [theirs, ours] of PLACES) {
    const value = params.take(theirs);
    if (value !== undefined) setOnce(row, ours, value, `${params.path}.${theirs}`, known, made);
  }
  if (Object.keys(row).length > 0) (made.config.providers ??= {})[known] = row;
  return { row: known, model: id };
}

/** The members of a row that say where a cloud's models are. */
const PLACES = [
  ["api_version", "apiVersion"],
  ["aws_region_name", "region"],
  ["vertex_project", "project"],
  ["vertex_location", "location"],
] as const;

/** The provider of a name without a prefix, as LiteLLM knows it from its table of models. */
function bareProvider(id: string): string | undefined {
  if (/^(gpt-|o\d|chatgpt-|text-embedding-|dall-e|whisper|tts-|ft:gpt-)/.test(id)) return "openai";
  if (id.startsWith("claude-")) return "anthropic";
  if (id.startsWith("command-")) return "cohere";
  return undefined;
}

/** Sets a member of a row. A row has one value for all its models. */
function setOnce(
  row: Record<string, unknown>,
  member: string,
  value: unknown,
  path: string,
  provider: string,
  made: Imported,
): void {
  const variable = variableOf(value);
  if (variable !== undefined) {
    const option = `providers.${provider}.${member}`;
    if (!findProvider(provider)?.keyEnv?.includes(variable)) {
      made.variables.push(`${option} (in the file): the value of ${variable}`);
    }
    return;
  }
  if (row[member] !== undefined && row[member] !== value) {
    made.left.push(
      `${path}: ${provider} has another ${member} already; write the model as docs/providers.md says`,
    );
  } else row[member] = value;
}

/** A row of one's own for a server. Servers at the same address share it. */
function ownRow(base: string, path: string, made: Imported): string {
  const url = base.replace(/\/+$/, "");
  const variable = variableOf(base);
  const rows = made.config.providers ??= {};
  for (const [name, { baseUrl }] of Object.entries(rows)) if (baseUrl === url) return name;
  const host = variable?.toLowerCase() ?? (URL.canParse(url) ? new URL(url).host : "server");
  const name = `own-${host.replaceAll(/[^a-z0-9]+/gi, "-").replace(/-+$/, "")}`.toLowerCase();
  rows[name] ??= { baseUrl: variable === undefined ? url : "https://set-me.invalid" };
  if (variable !== undefined) {
    made.variables.push(`providers.${name}.baseUrl (in the file): the value of ${variable}`);
  }
  if (/^http:\/\/(?!127\.0\.0\.1|localhost|\[::1\])/.test(url)) made.config.allowHttp = true;
  if (variable === undefined && !URL.canParse(url)) made.left.push(`${path}.api_base: is not a URL`);
  return name;
}

// ---------------------------------------------------------------- keys and prices

/** The keys of each row: texts of the file, and names of variables. */
type Keys = Map<string, { texts: Set<string>; variables: Set<string> }>;

function readKey(row: string, params: Reader, keys: Keys, made: Imported): void {
  const own = params.take("api_key"), account = params.take("vertex_credentials");
  const key = own ?? account;
  if (typeof key !== "string" || key === "") return;
  // A service account's file stands there by its path, or as a text.
  if (key === account && variableOf(key) === undefined && !key.trimStart().startsWith("{")) {
    made.variables.push(`GOOGLE_APPLICATION_CREDENTIALS: the path in ${params.path}.vertex_credentials`);
    return;
  }
  const found = keys.get(row) ?? { texts: new Set(), variables: new Set() };
  keys.set(row, found);
  const variable = variableOf(key);
  if (variable === undefined) found.texts.add(key);
  else found.variables.add(variable);
}

function writeKeys(keys: Keys, made: Imported): void {
  for (const [row, { texts, variables }] of keys) {
    if (texts.size > 0) (made.config.keys ??= {})[row] = texts.size === 1 ? [...texts][0] : [...texts];
    const own = PROVIDERS.get(row)?.keyEnv ?? [];
    const others = [...variables].filter((variable) => !own.includes(variable));
    // A variable that the row reads is named too: it must be set here as it was there.
    for (const variable of variables) {
      if (own.includes(variable)) made.variables.push(`${variable}: as before`);
    }
    if (others.length === 0) continue;
    const [first = undefined] = own;
    made.variables.push(
      others.length === 1 && first !== undefined && variables.size === 1
        ? `${first}: the value of ${others[0]}`
        : `SLUICE_KEYS: JSON with ${JSON.stringify(row)}: the values of ${[...variables].join(", ")}`,
    );
  }
}

/** LiteLLM's costs are for one token, ours for a million. */
const COSTS = [
  ["input_cost_per_token", "input"],
  ["output_cost_per_token", "output"],
  ["cache_read_input_token_cost", "cache_read"],
  ["cache_creation_input_token_cost", "cache_write"],
] as const;

function readPrices({ row, model }: Place, sections: readonly Reader[], made: Imported): void {
  const cost: Record<string, number> = {};
  for (const section of sections) {
    for (const [theirs, ours] of COSTS) {
      const value = Number(section.take(theirs));
      if (Number.isFinite(value) && value >= 0) cost[ours] = Number((value * 1e6).toPrecision(12));
    }
  }
  const info = sections.at(-1)!;
  const base = info.take("base_model");
  if (typeof base === "string") {
    const rows = made.config.providers ??= {};
    const models = ((rows[row] ??= {}).baseModels ??= {}) as Record<string, string>;
    models[model] = base.slice(base.indexOf("/") + 1);
  }
  info.take("id");
  info.end();
  if (cost.input !== undefined || cost.output !== undefined) {
    (made.config.prices ??= {})[`${row}/${model}`] = { input: 0, output: 0, ...cost };
  }
}
