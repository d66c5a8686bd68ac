/** Where a provider's own path leads. */
import { GatewayError, quote } from "../wires/errors.ts";
import { VERSIONED_WORDS } from "./api_words.ts";
import type { NativePath, Provider } from "./types.ts";
import { below, checkPlaces, fillPlaces, isVersion, join } from "./urls.ts";

/**
 * The URL of a provider's own path: its base URL and the path, byte for byte, but that
 *
 * - a version which the base URL ends with may be repeated (`v1/models` below `https://api.openai.com/v1`, also with what
 *   stands before it, `openai/v1/models` below `https://api.groq.com/openai/v1`);
 * - a version which the row names may be left out before the words that stand below it (`messages` for `v1/messages`);
 * - a row with a `native` column of its own says where each path leads.
 *
 * The client chooses no host: at most a label of it, where the row has a place for one.
 *
 * @param path What follows the provider's name in the URL, e.g. `v1/models?limit=3`.
 * @param account For rows whose base URL holds `{account}`.
 * @returns `undefined` for a path that the provider cannot serve.
 * @throws GatewayError `invalid_request` for a path that could lead elsewhere, and as `fillPlaces`.
 */
export function nativeUrl(provider: Provider, path: string, account?: string): string | undefined {
  const mark = path.indexOf("?");
  const query = mark < 0 ? "" : path.slice(mark);
  const written = mark < 0 ? path : path.slice(0, mark);
  check(provider, written, query);
  const bare = written.replace(/^\//, "");
  const { native, baseUrl, version } = provider;
  if (!native) return versioned(fillPlaces(provider, baseUrl, { account }), bare, version) + query;
  const leads = native(baseUrl, bare);
  if (leads === undefined) return undefined;
  const { base, path: rest, places } = leads;
  if (places) checkPlaces(places);
  const filled = fillPlaces(provider, base, { account, ...places });
  return (leads.isBelow ? below(filled, rest) : join(filled, rest)) + query;
}

/** The model that a native path names; `undefined` for none. */
export function modelInPath(
  { modelPath = /(?:^|\/)models\/([^/:?]+)/ }: Provider,
  path: string,
): string | undefined {
  const model = modelPath.exec(path)?.[1];
  try {
    return model && decodeURIComponent(model);
  } catch {
    return model;
  }
}

/**
 * The URL that the client names in a header, for rows that take one (fal's SDK sends its queue's URL so).
 *
 * @returns `undefined` when there is none.
 * @throws GatewayError `invalid_request` for any host but the provider's own.
 */
export function targetUrl({ name, target }: Provider, headers: Headers): string | undefined {
  const value = target && headers.get(target.header);
  if (!target || !value) return undefined;
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const own = url &&
    target.domains.some((domain) => url.hostname === domain || url.hostname.endsWith(`.${domain}`));
  if (own && url.protocol === "https:" && url.port === "" && url.username === "" && url.password === "") {
    return url.href;
  }
  throw new GatewayError(
    "invalid_request",
    `Cannot follow ${target.header}: ${quote(value)} is no https URL of ${name}`,
    { param: target.header },
  );
}

// ---------------------------------------------------------------- rows of their own kind

/** What is asked of one deployment of Azure's; the rest of its API is below `openai/`. */
const OF_DEPLOYMENT = /^(?:audio|chat|completions|embeddings|images)(?:\/|$)/;

/** `{resource}/{deployment}/chat/completions`, `{resource}/openai/responses`, `{resource}/openai/v1/responses` */
export const azureOpenAI: NativePath = (base, path) => {
  const [resource, ...rest] = path.split("/");
  if (rest.length < 2) return undefined;
  const [first, ...tail] = rest;
  const isWhole = first === "openai" && !OF_DEPLOYMENT.test(tail.join("/"));
  return {
    base: isWhole ? base.replace(/\/openai\/deployments$/, "") : base,
    path: rest.join("/"),
    places: { resource },
  };
};

/**
 * Domains of the parts of AWS that stand apart, by how their regions begin: of most services, and of the newer ones that
 * serve IPv6 as well. From `partitions.js` of `@aws-sdk/core` 3.981.2, 2026-11.
 */
const AWS_DOMAINS: readonly (readonly [begins: string, domain: string, newer: string])[] = [
  ["cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn"],
  ["eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"],
  ["eusc-", "amazonaws.eu", "api.amazonwebservices.eu"],
  ["us-iso-", "c2s.ic.gov", "api.aws.ic.gov"],
  ["us-isob-", "sc2s.sgov.gov", "api.aws.scloud"],
  ["us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov"],
  ["", "amazonaws.com", "api.aws"],
];

/** `bedrock-runtime/{region}/model/{id}/converse`, `bedrock-mantle/{region}/anthropic/v1/messages` */
export const bedrock: NativePath = (base, path) => {
  const [service, region, ...rest] = path.split("/");
  if (rest.length === 0 || (service !== "bedrock-runtime" && service !== "bedrock-mantle")) return undefined;
  const [, domain, newer] = AWS_DOMAINS.find(([begins]) => region.startsWith(begins))!;
  const host = service === "bedrock-mantle"
    ? base.replace("bedrock-runtime.{region}.amazonaws.com", `bedrock-mantle.{region}.${newer}`)
    : base.replace("amazonaws.com", domain);
  return { base: host, path: rest.join("/"), places: { region } };
};

/** `v1/projects/{project}/locations/{location}/…`; without a location, or with `global`, the host that is everywhere. */
export const vertex: NativePath = (base, path) => {
  const location = /(?:^|\/)locations\/([^/]+)/.exec(path)?.[1] ?? "global";
  if (location === "global") return { base: base.replace("{location}-aiplatform", "aiplatform"), path };
  if (location === "eu" || location === "us") {
    return { base: base.replace("{location}-aiplatform", `aiplatform.${location}.rep`), path };
  }
  return { base, path, places: { location } };
};

/** `{@cf/…}` and `run/{@cf/…}` run a model, `v1/…` is the OpenAI form, the rest is below `/ai`. */
export const workersAI: NativePath = (base, path) => {
  const root = base.replace(/\/v1$/, "");
  if (/^(@|%40)(cf|hf)(\/|%2f)/i.test(path)) return { base: root, path: `run/${path}` };
  const isOpenAI = /^(chat\/completions|embeddings|responses)$/.test(path);
  return { base: root, path: isOpenAI ? `v1/${path}` : path };
};

/** `{org}/{model}` is the model's own task; `v1/…` and `{provider}/v1/…` are the router's. */
export const huggingface: NativePath = (base, path) => {
  const root = base.replace(/\/v1$/, "");
  if (/^(chat\/completions|models|responses|embeddings)$/.test(path)) {
    return { base: root, path: `v1/${path}` };
  }
  if (path.split("/").some(isVersion) || path.startsWith("hf-inference/")) return { base: root, path };
  return { base: root, path: `hf-inference/models/${path.replace(/^models\//, "")}` };
};

/** `model/{id}/…` is a model's own host, production unless the path says otherwise; the rest is the model APIs'. */
export const baseten: NativePath = (base, path) => {
  const [, model, rest] = /^model\/([^/]+)(?:\/(.+))?$/.exec(path) ?? [];
  if (model === undefined) return { base, path, isBelow: true };
  const host = base.replace("://inference.baseten.co/v1", "://model-{model}.api.baseten.co");
  return { base: host, path: rest ?? "environments/production/predict", places: { model } };
};

// ---------------------------------------------------------------- parts of a URL

/** Refuses what a URL parser would turn into another path or host than it reads like. */
function check({ name }: Provider, path: string, query: string): void {
  const fault = /^\/?([a-z][a-z0-9+.-]*:)?\/\//i.test(path)
    ? "it is an absolute URL"
    : hasControl(path) || hasControl(query) || path.includes("#") || query.includes("#")
    ? "it holds a character that no path has"
    : path.split(/\/|\\|%(?:25)*(?:2f|5c)/i).some(isDots)
    ? "it holds a segment of dots"
    : undefined;
  if (fault) {
    throw new GatewayError("invalid_request", `Cannot follow a path below ${name}: ${fault}`, {
      param: "path",
    });
  }
}

/** Tabs and line ends are dropped by URL parsers, so they could hide dots. */
function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) < 0x20 || text.charCodeAt(i) === 0x7f) return true;
  }
  return false;
}

/**
 * `.` and `..` as any server may read them: encoded, even twice (`%252e`), with blanks around them (`.%20`), or with what
 * some take for parameters (`..;a`).
 */
const isDots = (segment: string) =>
  /^(?:\s|%(?:25)*(?:0[0-9a-d]|20))*(?:\.|%(?:25)*2e){1,2}(?:\s|%(?:25)*(?:0[0-9a-d]|20))*(?:(?:;|%(?:25)*3b).*)?$/i
    .test(segment);

/** Adds the version that a path left out before the words that stand below it: `messages` for `v1/messages`. */
function versioned(base: string, path: string, version: string | undefined): string {
  const segments = path.split("/");
  const isLeftOut = version !== undefined && !segments.some(isVersion) &&
    VERSIONED_WORDS.has(wordOf(segments[0]));
  return isLeftOut ? join(base, `${version}/${path}`) : below(base, path, version);
}

/** Of `models:batch` the word before the verb. */
const wordOf = (segment: string) => segment.split(":", 1)[0];
