import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import * as v from "npm:valibot@1.5.0";
import { importLitellm } from "../../cli/import_litellm.ts";
import { CONFIG } from "../../gateway/setup/served_options.ts";
import { createGateway, type Options } from "../../mod.ts";

/** Settings of each kind that LiteLLM's documentation shows, in one file. */
const FILE = `
model_list:
  - model_name: gpt-fast
    litellm_params:
      model: openai/gpt-6-luna
      api_key: os.environ/OPENAI_API_KEY
      rpm: 60
  - model_name: gpt-fast
    litellm_params:
      model: azure/my-deployment
      api_base: https://eu-west.openai.azure.com
      api_key: os.environ/AZURE_KEY_EU
      api_version: "2025-04-01-preview"
    model_info:
      base_model: azure/gpt-6-luna
      mode: chat
  - model_name: claude
    litellm_params: { model: anthropic/claude-sonnet-5-5, api_key: sk-ant-one }
  - model_name: claude
    litellm_params: { model: anthropic/claude-sonnet-5-5, api_key: sk-ant-two }
  - model_name: on-bedrock
    litellm_params:
      model: bedrock/anthropic.claude-sonnet-5-5
      aws_region_name: eu-central-1
  - model_name: llama
    litellm_params:
      model: hosted_vllm/llama-3.3-70b-instruct
      api_base: http://10.0.0.3:8000/v1
  - model_name: mine
    litellm_params:
      model: openai/my-model
      api_base: http://models.internal:9000/v1/
      api_key: os.environ/MY_SERVER_KEY
      input_cost_per_token: 0.00000025
      output_cost_per_token: 0.000001
  - model_name: "openai/*"
    litellm_params: { model: "openai/*", api_key: os.environ/OPENAI_API_KEY }
  - model_name: watson
    litellm_params: { model: watsonx/granite }
  - just a text
litellm_settings:
  drop_params: true
  num_retries: 2
  request_timeout: 600
  fallbacks: [{ claude: [gpt-fast] }, { nobody: [claude] }]
  cache: true
  cache_params: { type: redis, host: redis.internal, port: 6380, password: hunter2-secret, ttl: 600, namespace: x }
  success_callback: [langfuse]
  max_budget: 100
  budget_duration: 30d
router_settings:
  routing_strategy: least-busy
  model_group_alias: { "gpt-4": gpt-fast }
general_settings:
  master_key: sk-the-master-key-1234
  global_max_parallel_requests: 50
  database_url: postgres://litellm:hunter2-secret@db/litellm
environment_variables: { LANGFUSE_SECRET_KEY: hunter2-secret }
`;

const made = importLitellm(FILE);

Deno.test("sluice import litellm: the models of a name are tried in turn, then those of its fallbacks", () => {
  const gpt = ["openai/gpt-6-luna", "azure-openai/my-deployment"];
  assertEquals(made.config.models, {
    "gpt-fast": gpt,
    claude: ["anthropic/claude-sonnet-5-5", ...gpt],
    "on-bedrock": "aws-bedrock/anthropic.claude-sonnet-5-5",
    llama: "vllm/llama-3.3-70b-instruct",
    mine: "own-models-internal-9000/my-model",
    "openai/*": "openai/*",
    "gpt-4": gpt,
  });
});

Deno.test("sluice import litellm: what the whole proxy may spend and serve at once holds for all gateways together", () => {
  assertEquals(made.config.gateways, {
    "*": { budgets: [{ limitUsd: 100, window: "month" }], limits: { open: 50 } },
  });
  const { config, left } = importLitellm(
    "model_list: []\nlitellm_settings: { max_budget: 5, budget_duration: 45d }\ngeneral_settings: { global_max_parallel_requests: 0 }\n",
  );
  assertEquals(config.gateways, undefined);
  assertEquals(left, [
    "litellm_settings.budget_duration: a budget is for an hour, a day, a week or a month",
  ]);
});

Deno.test("sluice import litellm: places, keys, costs and settings", () => {
  const { models: _, gateways: __, ...config } = made.config;
  assertEquals(config, {
    providers: {
      "azure-openai": {
        baseUrl: "https://eu-west.openai.azure.com",
        apiVersion: "2025-04-01-preview",
        baseModels: { "my-deployment": "gpt-6-luna" },
      },
      "aws-bedrock": { region: "eu-central-1" },
      vllm: { baseUrl: "http://10.0.0.3:8000/v1" },
      "own-models-internal-9000": { baseUrl: "http://models.internal:9000/v1" },
    },
    keys: { anthropic: ["sk-ant-one", "sk-ant-two"] },
    tokens: [{ token: "sk-the-master-key-1234", name: "master" }],
    prices: { "own-models-internal-9000/my-model": { input: 0.25, output: 1 } },
    allowHttp: true,
    retries: { maxAttempts: 3 },
    requestTimeoutMs: 600_000,
    cache: { ttl: 600, shared: true },
  });
});

Deno.test("sluice import litellm: what the file is made to is what the served form and a program take", async () => {
  v.parse(CONFIG, made.config);
  const asked: string[] = [];
  const gateway = createGateway({
    ...made.config as Options,
    fetch(url) {
      asked.push(url);
      return Promise.resolve(Response.json({ error: { message: "down" } }, { status: 500 }));
    },
    wait: () => Promise.resolve(),
  });
  const response = await gateway.fetch(
    new Request("http://localhost/v1/chat/completions", {
      method: "POST",
      headers: { "content-type": "application/json", authorization: "Bearer sk-the-master-key-1234" },
      body: JSON.stringify({ model: "claude", messages: [{ role: "user", content: "Hello" }] }),
    }),
  );
  await response.text();
  assertEquals([...new Set(asked.map((url) => new URL(url).host))], [
    "api.anthropic.com",
    "api.openai.com",
    "eu-west.openai.azure.com",
  ]);
});

Deno.test("sluice import litellm: variables to set are named, with no secret of the file", () => {
  const text = made.variables.join("\n");
  for (
    const told of [
      "OPENAI_API_KEY: as before",
      "AZURE_OPENAI_API_KEY: the value of AZURE_KEY_EU",
      'SLUICE_KEYS: JSON with "own-models-internal-9000": the values of MY_SERVER_KEY',
      "SLUICE_ADMIN_TOKEN: a new token",
      "SLUICE_STORE: redis://:PASSWORD@HOST:PORT of cache_params; then, after a comma, the address of a database",
      "LANGFUSE_SECRET_KEY: as in environment_variables",
    ]
  ) assertStringIncludes(text, told);
  assert(!`${text}${made.left}`.includes("hunter2"));
});

Deno.test("sluice import litellm: what has no counterpart is listed by its path, with what stands in its place", () => {
  const text = made.left.join("\n");
  for (
    const told of [
      "model_list[0].litellm_params.rpm: a limit of the option gateways",
      'model_list[8].litellm_params.model: "watsonx/granite" is of a provider that Sluice does not have',
      "model_list[9]: is not a model",
      "litellm_settings.drop_params: always so",
      'litellm_settings.fallbacks: of "nobody" name no models',
      "litellm_settings.cache_params.namespace: has no counterpart",
      "litellm_settings.success_callback: traces and metrics",
      "router_settings.routing_strategy: the models of a list are tried in turn",
    ]
  ) assertStringIncludes(text, told);
});

Deno.test("sluice import litellm: a text that is no such file is an error", () => {
  assertThrows(() => importLitellm("a: [b"), TypeError, "it is not YAML");
  for (const text of ["", "7", "models: []", "[]"]) {
    assertThrows(() => importLitellm(text), TypeError, "model_list");
  }
});

Deno.test("sluice import litellm: two places of one cloud are not mixed", () => {
  const { config, left } = importLitellm(`
model_list:
  - { model_name: a, litellm_params: { model: bedrock/amazon.nova-pro-v1:0, aws_region_name: eu-central-1 } }
  - { model_name: b, litellm_params: { model: bedrock/amazon.nova-pro-v1:0, aws_region_name: us-east-1 } }
`);
  assertEquals(config.providers, { "aws-bedrock": { region: "eu-central-1" } });
  assertStringIncludes(
    left.join(),
    "model_list[1].litellm_params.aws_region_name: aws-bedrock has another region",
  );
});

Deno.test("sluice import litellm: credentials of clouds lead to variables, and none is repeated", () => {
  const { config, variables, left } = importLitellm(`
model_list:
  - model_name: a
    litellm_params: { model: vertex_ai/gemini-3.8-flash, vertex_credentials: os.environ/VERTEX_JSON }
  - model_name: b
    litellm_params: { model: bedrock/m, aws_access_key_id: AKIA-hidden, aws_secret_access_key: os.environ/AWS }
`);
  assertEquals(variables, ["GOOGLE_APPLICATION_CREDENTIALS_JSON: the value of VERTEX_JSON"]);
  assertEquals(left, [
    "model_list[1].litellm_params.aws_access_key_id: the variable AWS_ACCESS_KEY_ID (docs/keys.md)",
    "model_list[1].litellm_params.aws_secret_access_key: the variable AWS_SECRET_ACCESS_KEY (docs/keys.md)",
  ]);
  assertEquals(config.keys, undefined);
  const alone = importLitellm("model_list: []\ngeneral_settings: { database_url: postgres://db }").variables;
  assertEquals(alone, ["SLUICE_STORE: the address of a database of its own (LiteLLM's tables are not read)"]);
  const vertex = (credentials: string) =>
    importLitellm(`model_list:
  - model_name: a
    litellm_params: { model: vertex_ai/gemini-3.8-flash, vertex_credentials: '${credentials}' }`);
  assertEquals(vertex("/etc/account.json").variables, [
    "GOOGLE_APPLICATION_CREDENTIALS: the path in model_list[0].litellm_params.vertex_credentials",
  ]);
  assertEquals(vertex('{"type": "service_account"}').config.keys, {
    "google-vertex-ai": '{"type": "service_account"}',
  });
});
