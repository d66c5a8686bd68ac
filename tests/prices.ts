/**
 * Writes `providers/prices/data.ts`: what each model costs, and how long its prompts and answers may be.
 *
 *     deno task prices                 from the pinned release, which pip fetches into a temporary folder
 *     deno task prices prices.json     from a file in the same form
 *
 * Prints what has changed since the file that it replaces.
 *
 * The source is the price list of LiteLLM (MIT outside its `enterprise/` folder; the list lies outside), read by field
 * names. It is written in the form of models.dev's `api.json`, with prices in US dollars for a million tokens.
 *
 * @module
 */
import type { Cost, Model } from "../providers/prices/table.ts";
import { unpack } from "../providers/prices/unpack.ts";

/** By row and model, in models.dev's form. */
type Written = Record<string, { models: Record<string, Model> }>;

/** The release that the list is taken from. */
const RELEASE = "1.110.2";
const LIST = "litellm/model_prices_and_context_window_backup.json";
const TARGET = new URL("../providers/prices/data.ts", import.meta.url);

/** Our rows by what the list calls their provider. */
const ROWS: Readonly<Record<string, readonly string[]>> = {
  ai21: ["ai21"],
  anthropic: ["anthropic"],
  azure: ["azure-openai"],
  baseten: ["baseten"],
  bedrock: ["aws-bedrock"],
  bedrock_converse: ["aws-bedrock"],
  cerebras: ["cerebras"],
  cloudflare: ["workers-ai"],
  cohere: ["cohere"],
  cohere_chat: ["cohere"],
  crusoe: ["crusoe"],
  dashscope: ["alibaba"],
  deepinfra: ["deepinfra"],
  deepseek: ["deepseek"],
  featherless_ai: ["featherless"],
  fireworks_ai: ["fireworks"],
  "fireworks_ai-embedding-models": ["fireworks"],
  friendliai: ["friendli"],
  gemini: ["google-ai-studio"],
  gradient_ai: ["digitalocean"],
  groq: ["groq"],
  heroku: ["heroku"],
  hyperbolic: ["hyperbolic"],
  inception: ["inception"],
  minimax: ["minimax"],
  mistral: ["mistral"],
  moonshot: ["moonshot"],
  morph: ["morph"],
  nebius: ["nebius"],
  novita: ["novita"],
  nscale: ["nscale"],
  openai: ["openai"],
  ovhcloud: ["ovhcloud"],
  parallel_ai: ["parallel"],
  perplexity: ["perplexity-ai", "perplexity-agent"],
  sambanova: ["sambanova"],
  scaleway: ["scaleway"],
  together_ai: ["together"],
  vercel_ai_gateway: ["vercel"],
  vertex_ai: ["google-vertex-ai"],
  "vertex_ai-ai21_models": ["google-vertex-ai"],
  "vertex_ai-anthropic_models": ["google-vertex-ai"],
  "vertex_ai-deepseek_models": ["google-vertex-ai"],
  "vertex_ai-embedding-models": ["google-vertex-ai"],
  "vertex_ai-language-models": ["google-vertex-ai"],
  "vertex_ai-llama_models": ["google-vertex-ai"],
  "vertex_ai-minimax_models": ["google-vertex-ai"],
  "vertex_ai-mistral_models": ["google-vertex-ai"],
  "vertex_ai-moonshot_models": ["google-vertex-ai"],
  "vertex_ai-openai_models": ["google-vertex-ai"],
  "vertex_ai-qwen_models": ["google-vertex-ai"],
  "vertex_ai-zai_models": ["google-vertex-ai"],
  voyage: ["voyage"],
  wandb: ["wandb"],
  xai: ["grok"],
  xiaomi_mimo: ["xiaomi"],
  zai: ["zai"],
};

/** Kinds of models that are paid for by tokens. */
const MODES: ReadonlySet<string> = new Set(["chat", "completion", "embedding", "rerank", "responses"]);

type Listed = Record<string, unknown>;

const RATES = {
  input: "input_cost_per_token",
  output: "output_cost_per_token",
  cache_read: "cache_read_input_token_cost",
  cache_write: "cache_creation_input_token_cost",
  cache_write_1h: "cache_creation_input_token_cost_above_1hr",
  reasoning: "output_cost_per_reasoning_token",
  input_audio: "input_cost_per_audio_token",
  output_audio: "output_cost_per_audio_token",
} as const;

/** A price for a token as one for a million, without the noise of binary fractions. */
const perMillion = (value: number) => Number((value * 1e6).toPrecision(10));

function ratesOf(listed: Listed, suffix = ""): Partial<Cost> {
  const rates: Partial<Cost> = {};
  for (const [name, field] of Object.entries(RATES)) {
    const value = listed[field + suffix];
    if (typeof value === "number" && Number.isFinite(value) && value >= 0) {
      rates[name as keyof typeof RATES] = perMillion(value);
    }
  }
  return rates;
}

function costOf(listed: Listed): Cost | undefined {
  const { input, output = 0, ...rates } = ratesOf(listed);
  if (input === undefined) return undefined;
  const cost: Cost = { input, output, ...rates };
  // Some say the price of reasoning though it is that of the rest.
  if (cost.reasoning === output) delete cost.reasoning;
  const above = Object.keys(listed).map((field) =>
    /^input_cost_per_token_above_(\d+)k_tokens$/.exec(field)?.[1]
  )
    .find(Boolean);
  if (above) {
    const dearer = ratesOf(listed, `_above_${above}k_tokens`);
    if (dearer.input !== undefined) cost.above = { context: Number(above) * 1000, ...dearer };
  }
  for (
    const [tier, suffix] of [["batch", "_batches"], ["flex", "_flex"], ["priority", "_priority"]] as const
  ) {
    const rates = ratesOf(listed, suffix);
    if (rates.input !== undefined) cost[tier] = rates;
  }
  return cost;
}

const count = (value: unknown) => typeof value === "number" && value > 0 ? value : undefined;

function modelOf(listed: Listed): Model | undefined {
  const cost = costOf(listed);
  const context = count(listed.max_input_tokens), output = count(listed.max_output_tokens);
  if (!cost) return undefined;
  const limit = { ...(context && { context }), ...(output && { output }) };
  return Object.keys(limit).length > 0 ? { cost, limit } : { cost };
}

/** A listed name as the provider has it: without the list's own word for the provider, or a size in front. */
function idOf(name: string, provider: string): string | undefined {
  const word = provider.replace(/-.*/, "");
  const id = name.startsWith(`${word}/`) ? name.slice(word.length + 1) : name;
  // `1024-x-1024/…` is a picture, `us-east-1/…` a region of its own price.
  return /^(?:\d+-x-\d+|max-x-max|[a-z]{2}-[a-z]+-\d)\//.test(id) ? undefined : id;
}

/** The table of a list. */
export function tableOf(list: Record<string, Listed>): Written {
  const table: Record<string, { models: Record<string, Model> }> = {};
  for (const [name, given] of Object.entries(list)) {
    const alias = typeof given.alias_of === "string" ? list[given.alias_of] : undefined;
    const listed = alias ? { ...alias, ...given, litellm_provider: alias.litellm_provider } : given;
    const { litellm_provider: provider, mode } = listed as { litellm_provider?: string; mode?: string };
    if (!provider || !Object.hasOwn(ROWS, provider) || !MODES.has(mode ?? "")) continue;
    const id = idOf(name, provider);
    const model = modelOf(listed);
    if (id === undefined || !model) continue;
    for (const row of ROWS[provider]) (table[row] ??= { models: {} }).models[id] ??= model;
  }
  const sorted = <T>(object: Record<string, T>) =>
    Object.fromEntries(Object.entries(object).sort(([a], [b]) => a < b ? -1 : 1));
  for (const row of Object.values(table)) row.models = sorted(row.models);
  return sorted(table);
}

/** The text of the pinned release's list. */
async function fetchList(): Promise<string> {
  const folder = await Deno.makeTempDir();
  try {
    const python = (...args: string[]) => new Deno.Command("python3", { args, cwd: folder }).output();
    const pip = await python(
      "-m",
      "pip",
      "download",
      `litellm==${RELEASE}`,
      "--no-deps",
      "--quiet",
      "--dest",
      ".",
    );
    if (!pip.success) throw new Error(new TextDecoder().decode(pip.stderr));
    const read =
      "import glob, zipfile, sys; sys.stdout.buffer.write(zipfile.ZipFile(glob.glob('*.whl')[0]).read(sys.argv[1]))";
    const { stdout } = await python("-c", read, LIST);
    return new TextDecoder().decode(stdout);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** JSON, gzip, base64: a ninth of the JSON alone, which everybody would fetch who imports the gateway by its URL. */
async function pack(text: string): Promise<string> {
  const packed = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer()).toBase64();
}

/** The module that holds a table. */
export const moduleOf = async (table: Written): Promise<string> =>
  `// deno-fmt-ignore-file
/**
 * What each model costs, and how long its prompts and answers may be. Made by \`deno task prices\`; not to be edited.
 *
 * From the price list of LiteLLM ${RELEASE}, Copyright (c) 2023 Berri AI, under the MIT License, whose text is in
 * \`LICENSE-prices\`.
 *
 * @module
 */

/** A table for \`readPrices()\`: its JSON, by gzip and base64. \`unpack()\` gives the text. */
export const PACKED: string =
  "${await pack(JSON.stringify(table))}";
`;

if (import.meta.main) {
  const [path] = Deno.args;
  const list = JSON.parse(path ? await Deno.readTextFile(path) : await fetchList());
  const table = tableOf(list);
  const before: Written = await import(TARGET.href).then(
    async ({ PACKED }) => JSON.parse(await unpack(PACKED)),
    () => ({}),
  );
  for (const [row, { models }] of Object.entries(table)) {
    for (const [id, model] of Object.entries(models)) {
      const old = before[row]?.models[id];
      if (old && JSON.stringify(old.cost) !== JSON.stringify(model.cost)) console.log(`${row}/${id} changed`);
    }
  }
  await Deno.writeTextFile(TARGET, await moduleOf(table));
  const models = Object.values(table).reduce((sum, row) => sum + Object.keys(row.models).length, 0);
  console.log(`${Object.keys(table).length} rows, ${models} models, ${JSON.stringify(table).length} bytes`);
}
