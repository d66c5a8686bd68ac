/** The variables of the clouds' own tools, and of other gateways: each leads a call where its tool would. */
import { assert, assertEquals } from "@std/assert";
import { readEnv } from "../../gateway/setup/env.ts";
import { before, completion, post } from "../fakes.ts";

const CHAT = "http://gateway.test/v1/chat/completions";
const TOKEN = "token-of-the-gateway";

/** The request that these variables make of a call, from a client with the gateway's token. */
async function sent(variables: Record<string, string>, model: string) {
  const { options, warnings } = readEnv((name) => ({ SLUICE_TOKENS: TOKEN, ...variables })[name]);
  assertEquals(warnings, []);
  const { fetch, sent } = before(() => completion(), options);
  const body = { model, messages: [{ role: "user", content: "Hi" }] };
  const response = await fetch(post(CHAT, body, { authorization: `Bearer ${TOKEN}` }));
  const told = await response.text();
  assert(sent.length > 0, told);
  return sent[0];
}

/** By hand, from the reference of each tool: the variable, what else is set, the model, and the beginning of the URL. */
const PLACES: [name: string, value: string, more: Record<string, string>, model: string, url: string][] = [
  [
    "AWS_REGION",
    "eu-west-1",
    { AWS_BEARER_TOKEN_BEDROCK: "ABSKk" },
    "bedrock/m",
    "https://bedrock-runtime.eu-west-1.amazonaws.com/model/m/",
  ],
  [
    "AWS_DEFAULT_REGION",
    "eu-west-1",
    { AWS_BEARER_TOKEN_BEDROCK: "ABSKk" },
    "bedrock/m",
    "https://bedrock-runtime.eu-west-1.amazonaws.com/model/m/",
  ],
  [
    "AWS_REGION_NAME",
    "eu-west-1",
    { AWS_BEARER_TOKEN_BEDROCK: "ABSKk" },
    "bedrock/m",
    "https://bedrock-runtime.eu-west-1.amazonaws.com/model/m/",
  ],
  [
    "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
    "https://vpce-1.bedrock-runtime.eu-west-1.vpce.amazonaws.com",
    { AWS_BEARER_TOKEN_BEDROCK: "ABSKk" },
    "bedrock/us-east-1/m",
    "https://vpce-1.bedrock-runtime.eu-west-1.vpce.amazonaws.com/model/m/",
  ],
  [
    "SLUICE_AWS_BEDROCK_BASE_URL",
    "https://own.test/x",
    { AWS_BEARER_TOKEN_BEDROCK: "ABSKk" },
    "bedrock/us-east-1/m",
    "https://own.test/x/model/m/",
  ],
  ...["GOOGLE_VERTEX_PROJECT", "VERTEXAI_PROJECT", "ANTHROPIC_VERTEX_PROJECT_ID", "GOOGLE_CLOUD_PROJECT"].map(
    (
      name,
    ): (typeof PLACES)[number] => [
      name,
      "proj-1",
      { SLUICE_KEYS: '{"vertex":"ya29.t"}' },
      "vertex/gemini-3.8-flash",
      "https://aiplatform.googleapis.com/v1beta1/projects/proj-1/locations/global/",
    ],
  ),
  ...["GOOGLE_VERTEX_LOCATION", "VERTEXAI_LOCATION", "GOOGLE_CLOUD_LOCATION", "CLOUD_ML_REGION"].map((
    name,
  ): (typeof PLACES)[number] => [
    name,
    "europe-west4",
    { SLUICE_KEYS: '{"vertex":"ya29.t"}', GOOGLE_CLOUD_PROJECT: "p" },
    "vertex/gemini-3.8-flash",
    "https://europe-west4-aiplatform.googleapis.com/v1beta1/projects/p/locations/europe-west4/",
  ]),
  [
    "SLUICE_GOOGLE_VERTEX_AI_BASE_URL",
    "https://own.test",
    { SLUICE_KEYS: '{"vertex":"ya29.t"}', GOOGLE_CLOUD_PROJECT: "p" },
    "vertex/gemini-3.8-flash",
    "https://own.test/v1beta1/projects/p/locations/global/",
  ],
  [
    "AZURE_RESOURCE_NAME",
    "res",
    { AZURE_API_KEY: "k" },
    "azure/dep",
    "https://res.openai.azure.com/openai/v1/chat/completions",
  ],
  [
    "AZURE_OPENAI_ENDPOINT",
    "https://res.openai.azure.com/",
    { AZURE_OPENAI_API_KEY: "k" },
    "azure/dep",
    "https://res.openai.azure.com/openai/v1/chat/completions",
  ],
  [
    "AZURE_API_BASE",
    "https://res.cognitiveservices.azure.com",
    { AZURE_API_KEY: "k" },
    "azure/dep",
    "https://res.cognitiveservices.azure.com/openai/v1/chat/completions",
  ],
  [
    "AZURE_API_BASE",
    "https://res.services.ai.azure.com/api/projects/my-project",
    { AZURE_API_KEY: "k" },
    "azure/dep",
    "https://res.services.ai.azure.com/api/projects/my-project/openai/v1/chat/completions",
  ],
  [
    "SLUICE_AZURE_OPENAI_BASE_URL",
    "https://own.test",
    { AZURE_API_KEY: "k" },
    "azure/dep",
    "https://own.test/openai/v1/chat/completions",
  ],
  ...["AZURE_OPENAI_API_VERSION", "OPENAI_API_VERSION", "AZURE_API_VERSION"].map((
    name,
  ): (typeof PLACES)[number] => [
    name,
    "2025-04-01-preview",
    { AZURE_RESOURCE_NAME: "res", AZURE_API_KEY: "k" },
    "azure/dep",
    "https://res.openai.azure.com/openai/deployments/dep/chat/completions?api-version=2025-04-01-preview",
  ]),
  [
    "ANTHROPIC_FOUNDRY_RESOURCE",
    "res",
    { ANTHROPIC_FOUNDRY_API_KEY: "k" },
    "azure-ai/claude-sonnet-5-5",
    "https://res.services.ai.azure.com/anthropic/v1/messages",
  ],
  [
    "AZURE_AI_API_BASE",
    "https://res.services.ai.azure.com/models",
    { AZURE_AI_API_KEY: "k" },
    "azure_ai/dep",
    "https://res.services.ai.azure.com/openai/v1/chat/completions",
  ],
  [
    "SLUICE_AZURE_AI_BASE_URL",
    "https://own.test",
    { AZURE_AI_API_KEY: "k" },
    "azure-ai/dep",
    "https://own.test/openai/v1/chat/completions",
  ],
];

Deno.test("each variable of a place at a cloud leads a call there", async () => {
  for (const [name, value, more, model, url] of PLACES) {
    const { url: led } = await sent({ [name]: value, ...more }, model);
    assert(led.startsWith(url), `${name}: ${led}`);
  }
});

Deno.test("each variable of a cloud's key is the key of a call", async () => {
  const jwt = "eyJhbGciOiJub25lIn0.e30.sig";
  const cases: [
    name: string,
    value: string,
    more: Record<string, string>,
    model: string,
    header: string,
    due: string,
  ][] = [
    ["AWS_BEARER_TOKEN_BEDROCK", "ABSKk", {}, "bedrock/us-east-1/m", "authorization", "Bearer ABSKk"],
    ["GOOGLE_VERTEX_API_KEY", "AIzaKey", {}, "vertex/gemini-3.8-flash", "x-goog-api-key", "AIzaKey"],
    ["AZURE_OPENAI_API_KEY", "k-1", {}, "azure/res/dep", "api-key", "k-1"],
    ["AZURE_API_KEY", "k-1", {}, "azure/res/dep", "api-key", "k-1"],
    ["AZURE_AD_TOKEN", jwt, {}, "azure/res/dep", "authorization", `Bearer ${jwt}`],
    ["AZURE_OPENAI_AD_TOKEN", jwt, {}, "azure/res/dep", "authorization", `Bearer ${jwt}`],
    ["AZURE_AI_API_KEY", "k-1", {}, "azure-ai/res/dep", "api-key", "k-1"],
    ["ANTHROPIC_FOUNDRY_API_KEY", "k-1", {}, "azure-ai/res/claude-sonnet-5-5", "x-api-key", "k-1"],
  ];
  for (const [name, value, more, model, header, due] of cases) {
    const { headers } = await sent({ [name]: value, ...more }, model);
    assertEquals(headers.get(header), due, name);
  }
});

Deno.test("a set of Amazon's variables signs a call, with its session token", async () => {
  const set = {
    AWS_ACCESS_KEY_ID: "ASIAX",
    AWS_SECRET_ACCESS_KEY: "secret/key",
    AWS_SESSION_TOKEN: "session",
  };
  const { headers } = await sent(set, "bedrock/us-east-1/m");
  assert(headers.get("authorization")!.startsWith("AWS4-HMAC-SHA256 Credential=ASIAX/"));
  assertEquals(headers.get("x-amz-security-token"), "session");
});
