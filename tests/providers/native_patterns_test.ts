/** The words in a provider's own paths. Each is recognised exactly, without text before or behind it. */
import { assertEquals } from "@std/assert";
import { nativeUrl } from "../../providers/native.ts";
import { findProvider } from "../../providers/table.ts";

const CF = "https://api.cloudflare.com/client/v4/accounts/acct/ai";
const HF = "https://router.huggingface.co";
const AZURE = "https://res.openai.azure.com/openai";

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
    "xchat/completions": `${CF}/xchat/completions`,
    "chat/completions/x": `${CF}/chat/completions/x`,
    "xresponses": `${CF}/xresponses`,
    "responses/x": `${CF}/responses/x`,
  },
  "huggingface": {
    "chat/completions": `${HF}/v1/chat/completions`,
    "embeddings": `${HF}/v1/embeddings`,
    "xembeddings": `${HF}/hf-inference/models/xembeddings`,
    "embeddings/x": `${HF}/hf-inference/models/embeddings/x`,
    "models": `${HF}/v1/models`,
    "xmodels": `${HF}/hf-inference/models/xmodels`,
    "responses": `${HF}/v1/responses`,
    "xresponses": `${HF}/hf-inference/models/xresponses`,
    "responses/x": `${HF}/hf-inference/models/responses/x`,
    "xchat/completions": `${HF}/hf-inference/models/xchat/completions`,
    "chat/completions/x": `${HF}/hf-inference/models/chat/completions/x`,
    "xhf-inference/m": `${HF}/hf-inference/models/xhf-inference/m`,
    "models/org/m": `${HF}/hf-inference/models/org/m`,
    "org/models/m": `${HF}/hf-inference/models/org/models/m`,
    "hf-inference/models/org/m": `${HF}/hf-inference/models/org/m`,
  },
  "baseten": {
    "model/a1": "https://model-a1.api.baseten.co/environments/production/predict",
    "model/a1/development/predict": "https://model-a1.api.baseten.co/development/predict",
    "xmodel/a1": "https://inference.baseten.co/v1/xmodel/a1",
    "model": "https://inference.baseten.co/v1/model",
    "model/": "https://inference.baseten.co/v1/model/",
  },
  "azure-openai": {
    "res/openai/audio": `${AZURE}/deployments/openai/audio`,
    "res/openai/xaudio": `${AZURE}/xaudio`,
    "res/openai/audiox": `${AZURE}/audiox`,
    "res/openai/x/audio": `${AZURE}/x/audio`,
    "res/openai/images/generations": `${AZURE}/deployments/openai/images/generations`,
  },
  "google-vertex-ai": {
    "locations/us-central1/x": "https://us-central1-aiplatform.googleapis.com/locations/us-central1/x",
    "v1/xlocations/us-central1/x": "https://aiplatform.googleapis.com/v1/xlocations/us-central1/x",
  },
};

for (const [name, urls] of Object.entries(URLS)) {
  Deno.test(`nativeUrl() takes ${name}'s words whole`, () => {
    for (const [path, url] of Object.entries(urls)) {
      assertEquals(nativeUrl(findProvider(name)!, path, "acct"), url, path);
    }
  });
}
