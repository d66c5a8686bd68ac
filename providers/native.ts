/** Where a provider's own path leads. */
import { GatewayError, quote } from "../wires/errors.ts";
import { VERSIONED_WORDS } from "./api_words.ts";
import type { NativeUrl, Provider } from "./types.ts";

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
 * @throws GatewayError `invalid_request` for a path that could lead elsewhere, and as `baseUrl`.
 */
export function nativeUrl(provider: Provider, path: string, account?: string): string | undefined {
  const mark = path.indexOf("?");
  const query = mark < 0 ? "" : path.slice(mark);
  const written = mark < 0 ? path : path.slice(0, mark);
  check(provider, written, query);
  const bare = written.replace(/^\//, "");
  const base = baseUrl(provider, account);
  const url = provider.native ? provider.native(base, bare) : below(base, bare, provider.version);
  return url === undefined ? undefined : url + query;
}

/**
 * Where a provider's paths begin, with the client's account where the provider wants one.
 *
 * @throws GatewayError `invalid_request` for an account that is missing or malformed.
 */
export function baseUrl({ name, baseUrl }: Provider, account: string | undefined): string {
  if (!baseUrl.includes("{account}")) return baseUrl;
  if (account !== undefined && /^[\w-]{1,64}$/.test(account)) return baseUrl.replace("{account}", account);
  const fault = account === undefined
    ? "it needs an account id"
    : `${JSON.stringify(account.slice(0, 100))} is not an account id`;
  throw new GatewayError(
    "invalid_request",
    `Cannot reach ${name}: ${fault}. Set CLOUDFLARE_ACCOUNT_ID, or name it in the path: ` +
      "/v1/{account_id}/{gateway_id}/…",
  );
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
export const azureOpenAI: NativeUrl = (base, path) => {
  const [resource, ...rest] = path.split("/");
  if (rest.length < 2) return undefined;
  const deployments = fill(base, "resource", resource, RESOURCE);
  const [first, ...tail] = rest;
  const isWhole = first === "openai" && !OF_DEPLOYMENT.test(tail.join("/"));
  return join(isWhole ? deployments.replace(/\/openai\/deployments$/, "") : deployments, rest.join("/"));
};

/** `bedrock-runtime/{region}/model/{id}/converse`, `bedrock-mantle/{region}/anthropic/v1/messages` */
export const bedrock: NativeUrl = (base, path) => {
  const [service, region, ...rest] = path.split("/");
  if (rest.length === 0 || (service !== "bedrock-runtime" && service !== "bedrock-mantle")) return undefined;
  const host = service === "bedrock-mantle"
    ? base.replace("bedrock-runtime.{region}.amazonaws.com", "bedrock-mantle.{region}.api.aws")
    : region.startsWith("cn-")
    ? base.replace("amazonaws.com", "amazonaws.com.cn")
    : base;
  return join(fill(host, "region", region, AWS_REGION), rest.join("/"));
};

/** `v1/projects/{project}/locations/{region}/…`; without a region, or with `global`, the host that is everywhere. */
export const vertex: NativeUrl = (base, path) => {
  const region = /(?:^|\/)locations\/([^/]+)/.exec(path)?.[1] ?? "global";
  if (region === "global") return join(base.replace("{region}-aiplatform", "aiplatform"), path);
  if (region === "eu" || region === "us") {
    return join(base.replace("{region}-aiplatform", `aiplatform.${region}.rep`), path);
  }
  return join(fill(base, "region", region, GOOGLE_REGION), path);
};

/** `{@cf/…}` and `run/{@cf/…}` run a model, `v1/…` is the OpenAI form, the rest is below `/ai`. */
export const workersAI: NativeUrl = (base, path) => {
  const root = base.replace(/\/v1$/, "");
  if (/^(@|%40)(cf|hf)(\/|%2f)/i.test(path)) return join(root, `run/${path}`);
  return join(root, /^(chat\/completions|embeddings|responses)$/.test(path) ? `v1/${path}` : path);
};

/** `{org}/{model}` is the model's own task; `v1/…` and `{provider}/v1/…` are the router's. */
export const huggingface: NativeUrl = (base, path) => {
  const root = base.replace(/\/v1$/, "");
  if (/^(chat\/completions|models|responses|embeddings)$/.test(path)) return join(root, `v1/${path}`);
  if (path.split("/").some(isVersion) || path.startsWith("hf-inference/")) return join(root, path);
  return join(root, `hf-inference/models/${path.replace(/^models\//, "")}`);
};

/** `model/{id}/…` is a model's own host, production unless the path says otherwise; the rest is the model APIs'. */
export const baseten: NativeUrl = (base, path) => {
  const [, id, rest] = /^model\/([^/]+)(?:\/(.+))?$/.exec(path) ?? [];
  if (id === undefined) return below(base, path, undefined);
  const host = base.replace("://inference.baseten.co/v1", "://model-{id}.api.baseten.co");
  return join(fill(host, "id", id, MODEL_ID), rest ?? "environments/production/predict");
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

const isVersion = (segment: string) => /^v\d+([a-z]+\d*)?$/.test(segment);

function below(base: string, path: string, version: string | undefined): string {
  const roots = base.slice(base.indexOf("://") + 3).split("/").slice(1);
  const segments = path.split("/");
  for (let count = Math.min(roots.length, segments.length); count > 0; count--) {
    const overlap = roots.slice(-count);
    // `api/v1/…` below `https://openrouter.ai/api`, too.
    const isVersioned = overlap.some(isVersion) || version !== undefined && isVersion(segments[count] ?? "");
    if (isVersioned && overlap.every((root, i) => root === segments[i])) {
      return join(base, segments.slice(count).join("/"));
    }
  }
  const isLeftOut = version !== undefined && !segments.some(isVersion) &&
    VERSIONED_WORDS.has(wordOf(segments[0]));
  return join(base, isLeftOut ? `${version}/${path}` : path);
}

/** Of `models:batch` the word before the verb. */
const wordOf = (segment: string) => segment.split(":", 1)[0];

/** A path that is empty is the base itself. */
const join = (base: string, path: string) => path === "" ? base : `${base}/${path}`;

/** `us-east-1`, `us-gov-west-1`: any other label may be another service's host, as `s3.amazonaws.com` is. */
const AWS_REGION = /^[a-z]{2}(-[a-z]+)+-\d$/;
/** `us-central1`, `europe-west12` */
const GOOGLE_REGION = /^[a-z]+-[a-z]+\d{1,2}$/;
const RESOURCE = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/i;
const MODEL_ID = /^[a-z0-9]+$/i;

/** Puts a label of a host into its place; where the operator set another base URL there is no place. */
function fill(base: string, place: string, label: string, pattern: RegExp): string {
  // Hosts have labels of 63 characters at most.
  if (label.length <= 63 && pattern.test(label)) return base.replace(`{${place}}`, label);
  throw new GatewayError(
    "invalid_request",
    `Cannot follow the path: ${JSON.stringify(label.slice(0, 100))} is not a ${place}`,
    { param: "path" },
  );
}
