/** Google Cloud's columns: where Vertex AI's paths lead, and how clients write its models. */
import { GatewayError, quote } from "../wires/errors.ts";
import { vertex } from "./native.ts";
import type { CallPath } from "./types.ts";

/** Publishers whose models Vertex AI serves in the API of each. */
const OWN_API = ["google", "anthropic", "mistralai", "ai21"];

/** Publishers whose models it serves by OpenAI's chat completions. The names are in `google/cloud-aiplatform`'s model garden, 2026-11. */
export const OPEN_API = [
  ...["deepseek-ai", "meta", "minimaxai", "moonshotai", "openai", "qwen", "xai", "zai-org"],
];

/** The publishers of models that clients also name alone. */
const BY_NAME: readonly (readonly [name: RegExp, publisher: string])[] = [
  [
    /^(?:gemini|gemma|imagen|learnlm|veo)-|^(?:text|multimodal)-?embedding|^text-multilingual-embedding/,
    "google",
  ],
  [/^claude-/, "anthropic"],
  [/^(?:mistral|ministral|magistral|codestral|devstral|pixtral)/, "mistralai"],
  [/^jamba-/, "ai21"],
];

/** The publisher and the id of a model; no publisher for a tuned one, `endpoints/{id}`, and for a name that tells none. */
export function publishedModel(model: string): { publisher?: string; id: string } {
  const bare = model.replace(/^(?:publishers|models)\//, "").replace(/^([^/]+)\/models\//, "$1/");
  if (bare.startsWith("endpoints/")) return { id: bare };
  const slash = bare.indexOf("/");
  if (slash > 0) return { publisher: bare.slice(0, slash), id: bare.slice(slash + 1) };
  return { publisher: BY_NAME.find(([name]) => name.test(bare))?.[1], id: bare };
}

/** Matches OpenAI's own models, which only its Responses serve there, unlike its open ones. */
export const OPENAI_OWN = /^(?:publishers\/)?openai\/(?!(?:models\/)?gpt-oss)/;

/** The model's name in a request: the id, and for OpenAI's chat completions the publisher before it. */
export function vertexModel(model: string): string {
  const { publisher, id } = publishedModel(model);
  const isOpen = publisher !== undefined && OPEN_API.includes(publisher) && !OPENAI_OWN.test(model);
  return isOpen ? `${publisher}/${id}` : id;
}

/** Matches the models of a publisher, as clients write them. */
export const madeBy = (...publishers: string[]): RegExp => {
  const names = BY_NAME.filter(([, publisher]) => publishers.includes(publisher)).map(([{ source }]) =>
    source
  );
  return new RegExp([`^(?:publishers/)?(?:${publishers.join("|")})/`, ...names].join("|"));
};

/** The id as one segment. Google's pages write the `@` of a version as it is. */
const segment = (id: string) => encodeURIComponent(id).replaceAll("%40", "@");

/**
 * Paths of calls: below the project and the location, and below the publisher unless the path is OpenAI's. The project may
 * still be a place, which the key fills.
 *
 * @throws GatewayError `invalid_model` for a model of no publisher that Vertex AI has.
 */
export const vertexCall: CallPath = (
  { baseUrl, location = "global", project = "{project}" },
  path,
  model,
) => {
  const { publisher, id } = publishedModel(model);
  const isTuned = publisher === undefined && id.startsWith("endpoints/");
  if (!isTuned && (publisher === undefined || ![...OWN_API, ...OPEN_API].includes(publisher))) {
    throw new GatewayError(
      "invalid_model",
      `Cannot find model ${quote(model)} at Vertex AI: ` +
        (publisher === undefined
          ? "its name tells no publisher"
          : `${quote(publisher)} is not a publisher there`) +
        `. Write google-vertex-ai/{publisher}/{model}; publishers are ${
          [...OWN_API, ...OPEN_API].join(", ")
        }`,
      { param: "model" },
    );
  }
  const below = `projects/${project}/locations/${location}`;
  const { base, places } = vertex(baseUrl, below)!;
  // The wire of Gemini writes its author's path.
  const [, verb] = /^\/v1beta\/.*(:\w+(?:\?.*)?)$/.exec(path) ?? [];
  const rest = verb === undefined
    ? path.replace("{publisher}", () => publisher ?? "google").replace("{model}", () => segment(id))
    : isTuned
    ? `/endpoints/${segment(id.slice("endpoints/".length))}${verb}`
    : `/publishers/google/models/${segment(id)}${verb}`;
  return { base, path: `/${verb === undefined ? "v1" : "v1beta1"}/${below}${rest}`, places };
};
