/** Where calls of Amazon's models go, and what they are called there. */
import { assertEquals } from "@std/assert";
import { readEnv } from "../../gateway/setup/env.ts";
import { bedrockId } from "../../providers/amazon.ts";
import { awsError } from "../acceptance/strict_converse.ts";
import { before, post } from "../fakes.ts";

const URL_OF_CHAT = "http://gateway.test/v1/chat/completions";
const ARN = "arn:aws:bedrock:eu-west-3:000000000000:application-inference-profile/ab12";
const messages = [{ role: "user", content: "Hi" }];

/** Where a model leads, or why it leads nowhere. */
async function led(model: string, options: object = {}, stream = false): Promise<string> {
  const { fetch, sent } = before(() => awsError(400, "ValidationException", "No."), options);
  const response = await fetch(
    post(URL_OF_CHAT, { model, messages, stream }, { authorization: "Bearer key" }),
  );
  return sent[0]?.url ?? (await response.json()).error.message;
}

Deno.test("a model of Bedrock leads to its region: of the name, else of the ARN, else of the option", async () => {
  const options = { providers: { bedrock: { region: "ap-south-1" } } };
  const host = (region: string, domain = "amazonaws.com") =>
    `https://bedrock-runtime.${region}.${domain}/model/`;
  const cases: [model: string, url: string, options?: object][] = [
    [
      "aws-bedrock/us-east-1/amazon.nova-pro-v1:0",
      `${host("us-east-1")}amazon.nova-pro-v1%3A0/converse`,
      options,
    ],
    ["amazon-bedrock/converse/us-west-2/m", `${host("us-west-2")}m/converse`, options],
    ["bedrock/amazon.nova-pro-v1:0", `${host("ap-south-1")}amazon.nova-pro-v1%3A0/converse`, options],
    [`bedrock/${ARN}`, `${host("eu-west-3")}${encodeURIComponent(ARN)}/converse`, options],
    [`bedrock/us-east-1/${ARN}`, `${host("us-east-1")}${encodeURIComponent(ARN)}/converse`],
    [
      "bedrock/m",
      `${host("cn-north-1", "amazonaws.com.cn")}m/converse`,
      { providers: { bedrock: { region: "cn-north-1" } } },
    ],
    ["bedrock/cn-north-1/m", `${host("cn-north-1", "amazonaws.com.cn")}m/converse`],
    ["bedrock/eusc-de-east-1/us.m", `${host("eusc-de-east-1", "amazonaws.eu")}us.m/converse`],
    ["bedrock/us-east-1/a/../b?x=1#y", `${host("us-east-1")}a%2F..%2Fb%3Fx%3D1%23y/converse`],
  ];
  for (const [model, url, options] of cases) assertEquals(await led(model, options), url);
  assertEquals(await led("bedrock/us-east-1/m", {}, true), `${host("us-east-1")}m/converse-stream`);
});

Deno.test("a model of Bedrock without a region leads nowhere, and is told how to have one", async () => {
  const cure = "Write the model as aws-bedrock/{region}/{model}, or set AWS_REGION or the option " +
    "providers.aws-bedrock.region";
  assertEquals(await led("bedrock/m"), `Cannot reach aws-bedrock: it needs a region. ${cure}`);
  const odd = "arn:aws:bedrock:evil.test:1:inference-profile/x";
  assertEquals(await led(`bedrock/${odd}`), `Cannot reach aws-bedrock: "evil.test" is not a region. ${cure}`);
});

Deno.test("SLUICE_AWS_BEDROCK_BASE_URL replaces scheme and host of Bedrock, and what follows stays", async () => {
  const { options } = readEnv((name) =>
    name === "SLUICE_AWS_BEDROCK_BASE_URL" ? "http://127.0.0.1:4566" : undefined
  );
  assertEquals(await led("bedrock/us-east-1/m", options), "http://127.0.0.1:4566/model/m/converse");
  const own = { providers: { bedrock: { baseUrl: "https://{region}.vpce.test" } } };
  assertEquals(await led("bedrock/us-east-1/m", own), "https://us-east-1.vpce.test/model/m/converse");
});

Deno.test("readEnv() reads Amazon's region where no option sets one, and warns of one that is none", () => {
  const read = (variables: Record<string, string>) => readEnv((name) => variables[name]);
  const regionOf = (variables: Record<string, string>) =>
    read(variables).options.providers?.["aws-bedrock"]?.region;
  assertEquals(regionOf({ AWS_REGION: "us-west-2", AWS_DEFAULT_REGION: "eu-west-1" }), "us-west-2");
  assertEquals(regionOf({ AWS_DEFAULT_REGION: "eu-west-1", AWS_REGION_NAME: "us-east-1" }), "eu-west-1");
  assertEquals(regionOf({ AWS_REGION_NAME: "us-east-1" }), "us-east-1");
  const config = '{"providers":{"aws-bedrock":{"region":"eu-central-1"}}}';
  assertEquals(regionOf({ AWS_REGION: "us-west-2", SLUICE_CONFIG: config }), "eu-central-1");
  assertEquals(regionOf({}), undefined);
  const { options, warnings } = read({ AWS_REGION: "local" });
  assertEquals([options.providers, warnings], [undefined, [
    "AWS_REGION is not read: it must be a region, e.g. eu-central-1",
  ]]);
});

Deno.test("bedrockId() takes the words before an id off, in either order", () => {
  const ids: [string, string][] = [
    ["us-east-1/converse/us.m", "us.m"],
    ["invoke/us-east-1/us.m", "us.m"],
    [`messages/${ARN}`, ARN],
    ["m", "m"],
    ["org/m", "org/m"],
  ];
  for (const [model, id] of ids) assertEquals(bedrockId(model), id);
});
