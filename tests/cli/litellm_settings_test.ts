/** The settings of LiteLLM's proxy, one by one: those that a file of all kinds does not tell apart. */
import { assertEquals } from "@std/assert";
import { importLitellm } from "../../cli/import_litellm.ts";

const MODELS = `model_list:
  - { model_name: a, litellm_params: { model: openai/gpt-6-luna, api_key: os.environ/OPENAI_API_KEY } }
  - { model_name: b, litellm_params: { model: openai/gpt-6-sol, api_key: os.environ/OPENAI_API_KEY } }
`;

const made = (settings: string) => importLitellm(`${MODELS}${settings}\n`);
const cacheOf = (params: string) => made(`litellm_settings: { cache: true, cache_params: ${params} }`);
const storeIn = ({ variables }: { variables: string[] }) =>
  variables.find((line) => line.startsWith("SLUICE_STORE: "));

Deno.test("sluice import litellm: retries and timeouts that say nothing are left out", () => {
  const some = made("litellm_settings: { num_retries: 9, timeout: 1.5 }").config;
  assertEquals([some.retries, some.requestTimeoutMs], [{ maxAttempts: 5 }, 1500]);
  for (const value of ["0", '"2"', "null", "-1"]) {
    const { config } = made(`litellm_settings: { num_retries: ${value}, request_timeout: ${value} }`);
    assertEquals([config.retries, config.requestTimeoutMs], [undefined, undefined], value);
  }
});

Deno.test("sluice import litellm: the cache is for an hour if nothing is said, and has a store if it is Redis", () => {
  assertEquals(cacheOf("{}").config.cache, { ttl: 3600, shared: true });
  for (const [ttl, is] of [["5", 60], ["9999999", 2_678_400], ["soon", 60]]) {
    assertEquals(cacheOf(`{ ttl: ${ttl} }`).config.cache?.ttl, is);
  }
  assertEquals(
    made("litellm_settings: { cache: false, cache_params: { type: s3 } }").config.cache,
    undefined,
  );
  const stores: [params: string, store: string | undefined][] = [
    ["{ type: local }", undefined],
    ["{ type: redis, host: h }", "SLUICE_STORE: redis://h:6379, from cache_params"],
    ["{ type: redis, host: h, port: 1 }", "SLUICE_STORE: redis://h:1, from cache_params"],
    ["{ type: redis, host: h, port: os.environ/P }", "SLUICE_STORE: redis://h:6379, from cache_params"],
    ["{ type: redis, host: os.environ/H }", "SLUICE_STORE: redis://:PASSWORD@HOST:PORT of cache_params"],
    ["{ type: redis }", "SLUICE_STORE: redis://:PASSWORD@HOST:PORT of cache_params"],
  ];
  for (const [params, store] of stores) assertEquals(storeIn(cacheOf(params)), store, params);
  assertEquals(cacheOf("{ type: s3 }").left, [
    'litellm_settings.cache_params.type: "s3" is not a store that Sluice has (docs/stores.md)',
  ]);
  assertEquals([cacheOf("{ type: local }").left, cacheOf("{}").left], [[], []]);
});

Deno.test("sluice import litellm: an alias hides no model, and stands for one that is there", () => {
  const { config, left } = made(
    "router_settings: { model_group_alias: { b: a, c: { model: a, hidden: true }, d: nobody, e: 5 } }",
  );
  const a = "openai/gpt-6-luna";
  assertEquals(config.models, { a, b: "openai/gpt-6-sol", c: a });
  assertEquals(left, []);
});

Deno.test("sluice import litellm: fallbacks that name no model are told, and others are tried", () => {
  const { config, left } = made("litellm_settings: { fallbacks: [{ a: [nobody, b] }, { b: [nobody] }] }");
  assertEquals(config.models, { a: ["openai/gpt-6-luna", "openai/gpt-6-sol"], b: "openai/gpt-6-sol" });
  assertEquals(left, ['litellm_settings.fallbacks: of "b" name no models of model_list']);
});

Deno.test("sluice import litellm: a master key and a database are variables, and what is turned off is not told", () => {
  const { variables, config, left } = made(
    "general_settings: { master_key: os.environ/MASTER, database_url: postgres://x, store_model_in_db: false, alerting: null }",
  );
  assertEquals(config.tokens, undefined);
  assertEquals(variables.slice(1), [
    "SLUICE_TOKENS: the value of MASTER, which clients send",
    "SLUICE_ADMIN_TOKEN: a new token of 16 characters or more, for the page and the keys",
    "SLUICE_STORE: the address of a database of its own (LiteLLM's tables are not read)",
  ]);
  assertEquals(left, []);
  const empty = made("general_settings: { master_key: null, database_url: null }");
  assertEquals([empty.variables, empty.config.tokens], [variables.slice(0, 1), undefined]);
  const none = made("litellm_settings: { max_budget: 0, budget_duration: 45d }");
  assertEquals([none.config.gateways, none.left], [undefined, []]);
});
