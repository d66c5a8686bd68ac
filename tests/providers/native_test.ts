import { assert, assertEquals, assertThrows } from "@std/assert";
import { chatOf } from "./chat_of.ts";
import { modelInPath, nativeUrl, targetUrl } from "../../providers/native.ts";
import { compatible } from "../../providers/kinds.ts";
import { findProvider, PROVIDERS } from "../../providers/table.ts";
import { GatewayError } from "../../wires/errors.ts";

const ACCOUNT = "0123abcd";
const CF = `https://api.cloudflare.com/client/v4/accounts/${ACCOUNT}/ai`;
const VERTEX = "v1/projects/p/locations";

/** Paths below a provider's name, as Cloudflare's clients and documentation write them. */
const PATHS: Record<string, Record<string, string>> = {
  "openai": {
    "chat/completions": "https://api.openai.com/v1/chat/completions",
    "v1/chat/completions": "https://api.openai.com/v1/chat/completions",
    "v1/models?limit=3&after=a%2Fb": "https://api.openai.com/v1/models?limit=3&after=a%2Fb",
    "files/file-1/content": "https://api.openai.com/v1/files/file-1/content",
    "v1": "https://api.openai.com/v1",
  },
  "anthropic": {
    "v1/messages": "https://api.anthropic.com/v1/messages",
    "messages": "https://api.anthropic.com/v1/messages",
    "v1/messages/count_tokens?beta=true": "https://api.anthropic.com/v1/messages/count_tokens?beta=true",
    "messages/count_tokens": "https://api.anthropic.com/v1/messages/count_tokens",
    "models?limit=5": "https://api.anthropic.com/v1/models?limit=5",
    "files": "https://api.anthropic.com/v1/files",
    "models/v1-beta": "https://api.anthropic.com/v1/models/v1-beta",
    "models/xv1": "https://api.anthropic.com/v1/models/xv1",
    "api/hello": "https://api.anthropic.com/api/hello",
    "api/event_logging/batch": "https://api.anthropic.com/api/event_logging/batch",
    "hello": "https://api.anthropic.com/hello",
    "": "https://api.anthropic.com",
    "?beta=true": "https://api.anthropic.com?beta=true",
  },
  "google-ai-studio": {
    "v1/models/gemini-2.5-flash:generateContent":
      "https://generativelanguage.googleapis.com/v1/models/gemini-2.5-flash:generateContent",
    "v1beta/models/m:streamGenerateContent?alt=sse":
      "https://generativelanguage.googleapis.com/v1beta/models/m:streamGenerateContent?alt=sse",
    "models/m:generateContent": "https://generativelanguage.googleapis.com/v1beta/models/m:generateContent",
    "files:register": "https://generativelanguage.googleapis.com/v1beta/files:register",
    "cachedContents": "https://generativelanguage.googleapis.com/v1beta/cachedContents",
    "v1beta/openai/chat/completions":
      "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions",
  },
  "groq": {
    "chat/completions": "https://api.groq.com/openai/v1/chat/completions",
    "v1/chat/completions": "https://api.groq.com/openai/v1/chat/completions",
    "openai/v1/chat/completions": "https://api.groq.com/openai/v1/chat/completions",
  },
  "fireworks": { "inference/v1/models": "https://api.fireworks.ai/inference/v1/models" },
  "deepinfra": { "v1/openai/models": "https://api.deepinfra.com/v1/openai/models" },
  "mistral": {
    "v1/chat/completions": "https://api.mistral.ai/v1/chat/completions",
    "chat/completions": "https://api.mistral.ai/v1/chat/completions",
  },
  "grok": { "v1/messages": "https://api.x.ai/v1/messages", "models": "https://api.x.ai/v1/models" },
  "cohere": { "v1/chat": "https://api.cohere.com/v1/chat", "v2/chat": "https://api.cohere.com/v2/chat" },
  "perplexity-ai": { "chat/completions": "https://api.perplexity.ai/chat/completions" },
  "deepseek": { "chat/completions": "https://api.deepseek.com/chat/completions" },
  "cerebras": { "v1/chat/completions": "https://api.cerebras.ai/v1/chat/completions" },
  "openrouter": {
    "v1/chat/completions": "https://openrouter.ai/api/v1/chat/completions",
    "chat/completions": "https://openrouter.ai/api/v1/chat/completions",
    "api/v1/chat/completions": "https://openrouter.ai/api/v1/chat/completions",
    "api/v1/models": "https://openrouter.ai/api/v1/models",
    "generation?id=x": "https://openrouter.ai/api/v1/generation?id=x",
    "api/frontend/models": "https://openrouter.ai/api/api/frontend/models",
    "v1-beta/x": "https://openrouter.ai/api/v1-beta/x",
    "xv1/x": "https://openrouter.ai/api/xv1/x",
  },
  "parallel": {
    "v1/tasks/runs": "https://api.parallel.ai/v1/tasks/runs",
    "v1beta/search": "https://api.parallel.ai/v1beta/search",
  },
  "workers-ai": {
    "@cf/meta/llama-3.1-8b-instruct": `${CF}/run/@cf/meta/llama-3.1-8b-instruct`,
    "%40cf%2Fmeta%2Fllama": `${CF}/run/%40cf%2Fmeta%2Fllama`,
    "run/@cf/meta/llama": `${CF}/run/@cf/meta/llama`,
    "v1/chat/completions": `${CF}/v1/chat/completions`,
    "chat/completions": `${CF}/v1/chat/completions`,
    "models/search?search=llama": `${CF}/models/search?search=llama`,
  },
  "azure-openai": {
    "my-res/gpt-4o/chat/completions?api-version=2024-12-01":
      "https://my-res.openai.azure.com/openai/deployments/gpt-4o/chat/completions?api-version=2024-12-01",
    "res/openai/responses?api-version=2025-04-01-preview":
      "https://res.openai.azure.com/openai/responses?api-version=2025-04-01-preview",
    "res/openai/responses/resp_1": "https://res.openai.azure.com/openai/responses/resp_1",
    "res/openai/v1/responses": "https://res.openai.azure.com/openai/v1/responses",
    "res/openai/v1/chat/completions": "https://res.openai.azure.com/openai/v1/chat/completions",
    "res/openai/models": "https://res.openai.azure.com/openai/models",
    "res/openai/deployments/gpt/chat/completions":
      "https://res.openai.azure.com/openai/deployments/gpt/chat/completions",
    // A deployment with this name.
    "res/openai/chat/completions": "https://res.openai.azure.com/openai/deployments/openai/chat/completions",
    "res/responses/chat/completions":
      "https://res.openai.azure.com/openai/deployments/responses/chat/completions",
  },
  "aws-bedrock": {
    "bedrock-runtime/us-east-1/model/anthropic.claude-v1%3A0/invoke":
      "https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude-v1%3A0/invoke",
    "bedrock-runtime/cn-north-1/model/m/converse":
      "https://bedrock-runtime.cn-north-1.amazonaws.com.cn/model/m/converse",
    "bedrock-runtime/us-east-1/model/arn:aws:bedrock:us-east-1:1:inference-profile%2Fx/converse-stream":
      "https://bedrock-runtime.us-east-1.amazonaws.com/model/arn:aws:bedrock:us-east-1:1:inference-profile%2Fx/converse-stream",
    "bedrock-mantle/us-west-2/anthropic/v1/messages":
      "https://bedrock-mantle.us-west-2.api.aws/anthropic/v1/messages",
  },
  "google-vertex-ai": {
    [`${VERTEX}/us-central1/publishers/google/models/m:generateContent`]:
      `https://us-central1-aiplatform.googleapis.com/${VERTEX}/us-central1/publishers/google/models/m:generateContent`,
    [`${VERTEX}/global/publishers/google/models/m:generateContent`]:
      `https://aiplatform.googleapis.com/${VERTEX}/global/publishers/google/models/m:generateContent`,
    [`${VERTEX}/eu/publishers/google/models/m:generateContent`]:
      `https://aiplatform.eu.rep.googleapis.com/${VERTEX}/eu/publishers/google/models/m:generateContent`,
    "v1/publishers/google/models/m:generateContent":
      "https://aiplatform.googleapis.com/v1/publishers/google/models/m:generateContent",
  },
  "huggingface": {
    "meta-llama/Llama-3.1-8B": "https://router.huggingface.co/hf-inference/models/meta-llama/Llama-3.1-8B",
    "models/org/model": "https://router.huggingface.co/hf-inference/models/org/model",
    "v1/chat/completions": "https://router.huggingface.co/v1/chat/completions",
    "chat/completions": "https://router.huggingface.co/v1/chat/completions",
    "together/v1/chat/completions": "https://router.huggingface.co/together/v1/chat/completions",
  },
  "baseten": {
    "v1/chat/completions": "https://inference.baseten.co/v1/chat/completions",
    "model/abc123": "https://model-abc123.api.baseten.co/environments/production/predict",
    "model/abc123/development/predict": "https://model-abc123.api.baseten.co/development/predict",
  },
  "replicate": {
    "predictions": "https://api.replicate.com/v1/predictions",
    "v1/predictions": "https://api.replicate.com/v1/predictions",
  },
  "fal": { "fal-ai/fast-sdxl": "https://fal.run/fal-ai/fast-sdxl" },
  "ideogram": { "v1/ideogram-v3/generate": "https://api.ideogram.ai/v1/ideogram-v3/generate" },
  "cartesia": { "tts/bytes": "https://api.cartesia.ai/tts/bytes" },
  "elevenlabs": {
    "v1/text-to-speech/voice": "https://api.elevenlabs.io/v1/text-to-speech/voice",
    "text-to-speech/voice": "https://api.elevenlabs.io/v1/text-to-speech/voice",
    "v2/voices": "https://api.elevenlabs.io/v2/voices",
  },
  "deepgram": { "v1/listen?model=nova-3": "https://api.deepgram.com/v1/listen?model=nova-3" },
};

Deno.test("nativeUrl() finds the documented paths of every provider", () => {
  for (const [name, paths] of Object.entries(PATHS)) {
    const provider = findProvider(name)!;
    for (const [path, url] of Object.entries(paths)) {
      assertEquals(nativeUrl(provider, path, ACCOUNT), url, `${name}/${path}`);
      assertEquals(nativeUrl(provider, `/${path}`, ACCOUNT), url, `${name}//${path}`);
    }
  }
});

Deno.test("nativeUrl() leads every row's chat path to the URL of its chat calls", () => {
  for (const provider of PROVIDERS.values()) {
    const path = chatOf(provider)?.path;
    if (path === undefined || provider.chat === false || provider.callPath) continue;
    const base = provider.baseUrl.replace("{account}", ACCOUNT);
    assertEquals(nativeUrl(provider, path, ACCOUNT), base + path, provider.name);
  }
});

Deno.test("nativeUrl() returns undefined if a path lacks the part that names its host", () => {
  for (const path of ["", "res"]) {
    assertEquals(nativeUrl(findProvider("azure-openai")!, path), undefined, path);
  }
  for (const path of ["", "bedrock-runtime/us-east-1", "bedrock-other/us-east-1/x", "model/m/invoke"]) {
    assertEquals(nativeUrl(findProvider("aws-bedrock")!, path), undefined, path);
  }
  for (const path of ["v1/chat/completions", "@cf/meta/llama", "models/search"]) {
    const missing = () => nativeUrl(findProvider("workers-ai")!, path);
    assertThrows(missing, GatewayError, "it needs an account id. Set CLOUDFLARE_ACCOUNT_ID");
  }
});

Deno.test("nativeUrl() never lets the client choose a host or leave the base", () => {
  const evil = [
    "../admin",
    "v1/../../admin",
    "v1/./x",
    "..",
    "%2e%2e/admin",
    "v1/.%2E/admin",
    "v1/x%2f..%2fadmin",
    "v1/x%5C..%5cadmin",
    "v1\\..\\admin",
    "v1/.\t./admin",
    "v1/.\n./admin",
    "v1/x\r\nhost: evil",
    "//evil.example/x",
    "https://evil.example/x",
    "HTTPS://evil.example",
    "v1/x#y",
    "v1/ .. /admin",
    "v1/. /admin",
    "v1/%20%2e%2e/admin",
    "v1/.%20/admin",
    "v1/..%09/admin",
    "v1/%00../admin",
    "v1/%252e%252e/admin",
    "v1/%25252e./admin",
    "v1/x%252f..%252fadmin",
    "v1/..;/admin",
    "v1/..%3bx=1/admin",
    "v1/\u00a0../admin",
    "v1/x?a=\n",
    "v1/x?a=\x7f",
    "v1/x?a=1#b",
    "v1/\x7f",
    "v1/x\x1f",
  ];
  for (const provider of PROVIDERS.values()) {
    for (const path of evil) {
      assertThrows(
        () => nativeUrl(provider, path, ACCOUNT),
        GatewayError,
        "Cannot follow",
        `${provider.name}/${path}`,
      );
    }
  }
  const labels = ["evil.example", "a@evil", "a%2eb", "%20", "-a", "a-", "a:80", "ä", "x".repeat(64), "a_b"];
  for (const label of labels) {
    for (
      const [name, path] of [
        ["azure-openai", `${label}/d/chat/completions`],
        ["aws-bedrock", `bedrock-runtime/${label}/model/m/invoke`],
        ["google-vertex-ai", `v1/projects/p/locations/${label}/x`],
        ["baseten", `model/${label}/predict`],
      ]
    ) {
      assertThrows(
        () => nativeUrl(findProvider(name)!, path),
        GatewayError,
        "Cannot follow",
        `${name} ${label}`,
      );
    }
  }
});

Deno.test("nativeUrl() accepts as a region only a region of AWS or Google", () => {
  const aws = (region: string) =>
    nativeUrl(findProvider("aws-bedrock")!, `bedrock-runtime/${region}/model/m/converse`);
  for (
    const region of ["us-east-1", "eu-central-2", "us-gov-west-1", "ap-southeast-7", "us-isolated-east-1"]
  ) {
    assertEquals(aws(region), `https://bedrock-runtime.${region}.amazonaws.com/model/m/converse`);
  }
  // AWS's partitions have domains of their own.
  const mantle = (region: string) => nativeUrl(findProvider("aws-bedrock")!, `bedrock-mantle/${region}/v1/x`);
  for (
    const [region, domain, newer] of [
      ["cn-northwest-1", "amazonaws.com.cn", "api.amazonwebservices.com.cn"],
      ["eu-isoe-west-1", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"],
      ["eusc-de-east-1", "amazonaws.eu", "api.amazonwebservices.eu"],
      ["us-gov-east-1", "amazonaws.com", "api.aws"],
      ["us-iso-east-1", "c2s.ic.gov", "api.aws.ic.gov"],
      ["us-isob-east-1", "sc2s.sgov.gov", "api.aws.scloud"],
      ["us-isof-south-1", "csp.hci.ic.gov", "api.aws.hci.ic.gov"],
    ]
  ) {
    assertEquals(aws(region), `https://bedrock-runtime.${region}.${domain}/model/m/converse`);
    assertEquals(mantle(region), `https://bedrock-mantle.${region}.${newer}/v1/x`);
  }
  const google = (region: string) =>
    nativeUrl(findProvider("google-vertex-ai")!, `v1/projects/p/locations/${region}/x`);
  for (const region of ["us-central1", "europe-west12", "northamerica-northeast1"]) {
    assertEquals(
      google(region),
      `https://${region}-aiplatform.googleapis.com/v1/projects/p/locations/${region}/x`,
    );
  }
  const none = [
    "s3",
    "s3-us-east-1",
    "us-east",
    "us-east-12",
    "us--1",
    "us-1",
    "-us-east-1",
    "us-east-1-",
    "us-east-1a",
  ];
  none.push(
    "US-EAST-1",
    "us-east-1 ",
    " us-east-1",
    "usa-east-1",
    "xus-east-1",
    "us-e1st-1",
    "",
    "us-central1x",
  );
  none.push("xx-central1.evil", `us-${"a".repeat(70)}-1`, `us-${"a".repeat(70)}1`, "global-1", "us1", "1");
  for (const region of none) {
    assertThrows(() => aws(region), GatewayError, "is not a region", region);
    if (region !== "") assertThrows(() => google(region), GatewayError, "is not a region", region);
  }
});

Deno.test("modelInPath() finds the model that a path names, if it names one", () => {
  const cases: [provider: string, path: string, model: string | undefined][] = [
    ["google-ai-studio", "v1beta/models/gemini-x:generateContent", "gemini-x"],
    ["google-ai-studio", "v1beta/models/gemini-x:streamGenerateContent?alt=sse", "gemini-x"],
    ["google-ai-studio", "v1beta/files", undefined],
    ["google-vertex-ai", `${VERTEX}/global/publishers/google/models/m:predict`, "m"],
    ["openai", "v1/models/gpt-x", "gpt-x"],
    ["openai", "chat/completions", undefined],
    ["openai", "v1/xmodels/gpt-x", undefined],
    ["openai", "models/%E0%A4%A", "%E0%A4%A"],
    [
      "aws-bedrock",
      "bedrock-runtime/us-east-1/model/anthropic.claude-v1%3A0/invoke",
      "anthropic.claude-v1:0",
    ],
    ["aws-bedrock", "bedrock-mantle/us-east-1/anthropic/v1/messages", undefined],
    ["azure-openai", "res/gpt-4o/chat/completions?api-version=1", "gpt-4o"],
    ["azure-openai", "res/openai/deployments/gpt-4o/chat/completions", "gpt-4o"],
    ["azure-openai", "res/openai/v1/responses", undefined],
    ["azure-openai", "res/openai/responses", undefined],
    ["baseten", "model/abc123/development/predict", "abc123"],
    ["baseten", "v1/chat/completions", undefined],
    ["fal", "fal-ai/fast-sdxl", "fal-ai/fast-sdxl"],
    ["fal", "fal-ai/flux/dev?x=1", "fal-ai/flux/dev"],
    ["fal", "fal-ai/flux/requests/id/status", "fal-ai/flux"],
    ["huggingface", "meta-llama/Llama-3.1-8B", "meta-llama/Llama-3.1-8B"],
    ["huggingface", "hf-inference/models/org/model", "org/model"],
    ["huggingface", "models/org/model?x=1", "org/model"],
    ["huggingface", "v1/models", undefined],
    ["huggingface", "chat/completions", undefined],
    ["huggingface", "together/v1/chat/completions", undefined],
    ["replicate", "models/meta/llama/predictions", "meta/llama"],
    ["replicate", "v1/deployments/acme/mine/predictions", "acme/mine"],
    ["replicate", "predictions", undefined],
    ["workers-ai", "@cf/meta/llama", "@cf/meta/llama"],
    ["workers-ai", "run/%40cf%2Fmeta%2Fllama?x", "@cf/meta/llama"],
    ["workers-ai", "v1/chat/completions", undefined],
  ];
  for (const [provider, path, model] of cases) {
    assertEquals(modelInPath(findProvider(provider)!, path), model, `${provider}/${path}`);
  }
});

Deno.test("nativeUrl() adds a missing version only before the words of each API", () => {
  const words: Record<string, string> = {
    "anthropic": "messages complete models files skills agents sessions organizations",
    "google-ai-studio":
      "models files cachedContents tunedModels fileSearchStores batches operations interactions auth_tokens",
    "mistral":
      "chat fim embeddings models files agents conversations ocr audio moderations classifications libraries " +
      "fine_tuning batch",
    "openrouter":
      "chat completions models responses messages embeddings generation credits key keys providers endpoints auth",
    "grok":
      "chat completions messages models responses embeddings images videos files api-key language-models tokenize-text",
    "perplexity-agent": "agent responses chat search async embeddings models",
    "deepgram": "listen speak read projects models auth agent",
    "elevenlabs":
      "text-to-speech speech-to-text speech-to-speech voices models history user workspace sound-generation convai " +
      "dubbing audio-isolation music text-to-voice text-to-dialogue studio pronunciation-dictionaries forced-alignment",
  };
  for (const [name, list] of Object.entries(words)) {
    const provider = findProvider(name)!;
    const versioned = `${provider.baseUrl}/${name === "google-ai-studio" ? "v1beta" : "v1"}/`;
    for (const word of list.split(" ")) {
      assertEquals(nativeUrl(provider, `${word}/x`), `${versioned}${word}/x`, name);
      assertEquals(nativeUrl(provider, `v2/${word}`), `${provider.baseUrl}/v2/${word}`, name);
    }
    for (const word of ["api", "hello", "docs", "x-messages", "constructor", "MESSAGES"]) {
      assertEquals(nativeUrl(provider, `${word}/x`), `${provider.baseUrl}/${word}/x`, name);
    }
  }
});

Deno.test("nativeUrl() uses only the row's hosts, whatever the path", () => {
  const pieces = [
    "a",
    "v1",
    "@evil.example",
    ":8080",
    "%2F",
    "?",
    "x y",
    "é",
    "@",
    "..a",
    "a..",
    "%00",
    "models",
    ";",
    "&",
  ];
  const provider = findProvider("openai")!;
  for (const one of pieces) {
    for (const two of pieces) {
      const url = nativeUrl(provider, `${one}/${two}`)!;
      const parsed = new URL(url);
      assertEquals(parsed.origin, "https://api.openai.com", url);
      assert(parsed.pathname.startsWith("/v1/") || parsed.pathname === "/v1", url);
    }
  }
});

Deno.test("nativeUrl() follows the operator's base URL", () => {
  const at = (name: string, path: string) =>
    nativeUrl({ ...findProvider(name)!, baseUrl: "http://127.0.0.1:9000" }, path, ACCOUNT);
  const azure = "http://127.0.0.1:9000/openai";
  assertEquals(at("azure-openai", "res/dep/chat/completions"), `${azure}/deployments/dep/chat/completions`);
  assertEquals(at("azure-openai", "res/openai/v1/responses"), `${azure}/v1/responses`);
  assertEquals(at("azure-ai", "res/anthropic/v1/messages"), "http://127.0.0.1:9000/anthropic/v1/messages");
  assertEquals(at("aws-bedrock", "bedrock-mantle/us-east-1/v1/x"), "http://127.0.0.1:9000/v1/x");
  assertEquals(at("aws-bedrock", "bedrock-runtime/cn-north-1/x"), "http://127.0.0.1:9000/x");
  assertEquals(at("google-vertex-ai", `${VERTEX}/us-east5/x`), `http://127.0.0.1:9000/${VERTEX}/us-east5/x`);
  assertEquals(at("baseten", "model/m/predict"), "http://127.0.0.1:9000/predict");
  assertEquals(at("workers-ai", "@cf/x/y"), "http://127.0.0.1:9000/run/@cf/x/y");
  const own = { name: "custom-x", ...compatible("https://example.com/api") };
  assertEquals(nativeUrl(own, "v1/things"), "https://example.com/api/v1/things");
  assertEquals(nativeUrl(own, "api/things"), "https://example.com/api/api/things");
});

Deno.test("targetUrl() takes a URL of fal's own domains and no other", () => {
  const fal = findProvider("fal")!;
  const at = (value: string) => targetUrl(fal, new Headers({ "x-fal-target-url": value }));
  assertEquals(targetUrl(fal, new Headers()), undefined);
  assertEquals(at("https://queue.fal.run/fal-ai/x?a=1"), "https://queue.fal.run/fal-ai/x?a=1");
  assertEquals(at("https://fal.run/x"), "https://fal.run/x");
  const refused = [
    "http://fal.run/x",
    "https://fal.run.evil.example/x",
    "https://evilfal.run/x",
    "https://fal.run@evil.example/x",
    "https://user:pass@fal.run/x",
    "https://user@fal.run/x",
    "https://:pass@fal.run/x",
    "https://fal.run:8443/x",
    "https://evil.example/fal.run",
    "fal.run/x",
    "//fal.run/x",
  ];
  for (const value of refused) assertThrows(() => at(value), GatewayError, "Cannot follow", value);
  const openai = findProvider("openai")!;
  assertEquals(targetUrl(openai, new Headers({ "x-fal-target-url": "https://fal.run/x" })), undefined);
});
