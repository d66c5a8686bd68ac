/** What a provider's own path is known by: each word exactly, and not with something before it nor behind it. */
import { assertEquals } from "@std/assert";
import { nativeUrl } from "../../providers/native.ts";
import { findProvider } from "../../providers/table.ts";

const CF = "https://api.cloudflare.com/client/v4/accounts/acct/ai";
const HF = "https://router.huggingface.co";

const URLS: Record<string, Record<string, string>> = {
  "workers-ai": {
    "@cf/a/b": `${CF}/run/@cf/a/b`,
    "@hf/a/b": `${CF}/run/@hf/a/b`,
    "%40CF%2Fa": `${CF}/run/%40CF%2Fa`,
    "run/@cf/a/b": `${CF}/run/@cf/a/b`,
    "x@cf/a": `${CF}/x@cf/a`,
    "@cfx/a": `${CF}/@cfx/a`,
    "chat/completions": `${CF}/v1/chat/completions`,
    "embeddings": `${CF}/v1/embeddings`,
    "responses": `${CF}/v1/responses`,
    "xembeddings": `${CF}/xembeddings`,
    "embeddings/x": `${CF}/embeddings/x`,
  },
  "huggingface": {
    "chat/completions": `${HF}/v1/chat/completions`,
    "embeddings": `${HF}/v1/embeddings`,
    "xembeddings": `${HF}/hf-inference/models/xembeddings`,
    "embeddings/x": `${HF}/hf-inference/models/embeddings/x`,
    "models/org/m": `${HF}/hf-inference/models/org/m`,
    "org/models/m": `${HF}/hf-inference/models/org/models/m`,
    "hf-inference/models/org/m": `${HF}/hf-inference/models/org/m`,
  },
  "baseten": {
    "model/a1": "https://model-a1.api.baseten.co/environments/production/predict",
    "model/a1/development/predict": "https://model-a1.api.baseten.co/development/predict",
    "xmodel/a1": "https://inference.baseten.co/v1/xmodel/a1",
  },
};

for (const [name, urls] of Object.entries(URLS)) {
  Deno.test(`nativeUrl() takes ${name}'s words whole`, () => {
    for (const [path, url] of Object.entries(urls)) {
      assertEquals(nativeUrl(findProvider(name)!, path, "acct"), url, path);
    }
  });
}
