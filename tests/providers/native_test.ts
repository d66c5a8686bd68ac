import { assert, assertEquals, assertThrows } from "@std/assert";
import { nativeUrl, targetUrl } from "../../providers/native.ts";
import { compatible, findProvider, PROVIDERS } from "../../providers/table.ts";
import { GatewayError } from "../../wires/errors.ts";

const ACCOUNT = "0123abcd";
const CF = `https://api.cloudflare.com/client/v4/accounts/${ACCOUNT}/ai`;
const VERTEX = "v1/projects/p/locations";

/** Paths below a provider's name, as clients of the replaced service and its documentation write them. */
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
  },
  "google-ai-studio": {
    "v1/models/gemini-2.5-flash:generateContent":
      "https://generativelanguage.googleapis.com/v1/models/gemini-2.5-flash:generateContent",
    "v1beta/models/m:streamGenerateContent?alt=sse":
      "https://generativelanguage.googleapis.com/v1beta/models/m:streamGenerateContent?alt=sse",
    "models/m:generateContent": "https://generativelanguage.googleapis.com/v1beta/models/m:generateContent",
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

Deno.test("nativeUrl() leads every row's chat path to where its chat calls go", () => {
  for (const provider of PROVIDERS.values()) {
    if (!provider.wire.same || provider.chat === false) continue;
    const path = provider.chatPath ?? "/chat/completions";
    const base = provider.baseUrl.replace("{account}", ACCOUNT);
    assertEquals(nativeUrl(provider, path, ACCOUNT), base + path, provider.name);
  }
});

Deno.test("nativeUrl() has no answer where a row's path lacks what names its host", () => {
  for (const path of ["", "res"]) {
    assertEquals(nativeUrl(findProvider("azure-openai")!, path), undefined, path);
  }
  for (const path of ["", "bedrock-runtime/us-east-1", "bedrock-other/us-east-1/x", "model/m/invoke"]) {
    assertEquals(nativeUrl(findProvider("aws-bedrock")!, path), undefined, path);
  }
  assertEquals(nativeUrl(findProvider("workers-ai")!, "v1/chat/completions"), undefined);
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
    "v1/x?a=\n",
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
  const labels = ["evil.example", "a@evil", "a%2eb", "%20", "-a", "a:80", "ä", "x".repeat(64)];
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

Deno.test("nativeUrl() keeps to the row's hosts whatever the path", () => {
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
  assertEquals(at("azure-openai", "res/dep/chat/completions"), "http://127.0.0.1:9000/dep/chat/completions");
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
    "https://fal.run:8443/x",
    "https://evil.example/fal.run",
    "fal.run/x",
    "//fal.run/x",
  ];
  for (const value of refused) assertThrows(() => at(value), GatewayError, "Cannot follow", value);
  const openai = findProvider("openai")!;
  assertEquals(targetUrl(openai, new Headers({ "x-fal-target-url": "https://fal.run/x" })), undefined);
});
