/** Finds the URL of a provider's own path. */
import { GatewayError, quote } from "../wires/errors.ts";
import { VERSIONED_WORDS } from "./api_words.ts";
import type { NativePath, Provider } from "./types.ts";
import { below, checkPlaces, fillPlaces, isVersion, join } from "./urls.ts";

/**
 * The URL of a provider's own path: its base URL followed by the path, byte for byte, with these exceptions:
 *
 * - The path may repeat a version at the end of the base URL (`v1/models` below `https://api.openai.com/v1`), also with the
 *   segments before it (`openai/v1/models` below `https://api.groq.com/openai/v1`).
 * - The path may leave out the row's `version` before the words of `VERSIONED_WORDS` (`messages` for `v1/messages`).
 * - A row with a column `native` decides itself where each path leads.
 *
 * The client cannot choose the host. It can choose one label of it, if the row has a place for it.
 *
 * @param path The path behind the provider's name in the URL, e.g. `v1/models?limit=3`.
 * @param account For rows with `{account}` in their base URL.
 * @returns `undefined` for a path that the provider cannot serve.
 * @throws GatewayError `invalid_request` for a path that could lead elsewhere; the errors of `fillPlaces`.
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

/** The model that a native path names; `undefined` if it names none. */
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
 * The URL that the client names in a header, for rows with a `target`. fal's SDK sends its queue's URL in this way.
 *
 * @returns `undefined` if there is no such header.
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
    `Cannot follow ${target.header}: ${quote(value)} is not an https URL of ${name}`,
    { param: target.header },
  );
}

// ---------------------------------------------------------------- the `native` columns of rows

/** Paths: `v1/projects/{project}/locations/{location}/…`. Without a location, or with `global`, the global host is used. */
export const vertex: NativePath = (base, path) => {
  const location = /(?:^|\/)locations\/([^/]+)/.exec(path)?.[1] ?? "global";
  if (location === "global") return { base: base.replace("{location}-aiplatform", "aiplatform"), path };
  if (location === "eu" || location === "us") {
    return { base: base.replace("{location}-aiplatform", `aiplatform.${location}.rep`), path };
  }
  return { base, path, places: { location } };
};

/** Paths: `{@cf/…}` and `run/{@cf/…}` run a model, `v1/…` is OpenAI's API, any other path is below `/ai`. */
export const workersAI: NativePath = (base, path) => {
  const root = base.replace(/\/v1$/, "");
  if (/^(@|%40)(cf|hf)(\/|%2f)/i.test(path)) return { base: root, path: `run/${path}` };
  const isOpenAI = /^(chat\/completions|embeddings|responses)$/.test(path);
  return { base: root, path: isOpenAI ? `v1/${path}` : path };
};

/** Paths: `{org}/{model}` runs the model's own task, `v1/…` and `{provider}/v1/…` are paths of the router. */
export const huggingface: NativePath = (base, path) => {
  const root = base.replace(/\/v1$/, "");
  if (/^(chat\/completions|models|responses|embeddings)$/.test(path)) {
    return { base: root, path: `v1/${path}` };
  }
  if (path.split("/").some(isVersion) || path.startsWith("hf-inference/")) return { base: root, path };
  return { base: root, path: `hf-inference/models/${path.replace(/^models\//, "")}` };
};

/** Paths: `model/{id}/…` is on the model's own host, by default its production deployment; others are Baseten's Model APIs. */
export const baseten: NativePath = (base, path) => {
  const [, model, rest] = /^model\/([^/]+)(?:\/(.+))?$/.exec(path) ?? [];
  if (model === undefined) return { base, path, isBelow: true };
  const host = base.replace("://inference.baseten.co/v1", "://model-{model}.api.baseten.co");
  return { base: host, path: rest ?? "environments/production/predict", places: { model } };
};

// ---------------------------------------------------------------- parts of a URL

/** Refuses a path that a URL parser would turn into another path or host. */
function check({ name }: Provider, path: string, query: string): void {
  const fault = /^\/?([a-z][a-z0-9+.-]*:)?\/\//i.test(path)
    ? "it is an absolute URL"
    : hasControl(path) || hasControl(query) || path.includes("#") || query.includes("#")
    ? "it holds a control character or #, which a path cannot have"
    : path.split(/\/|\\|%(?:25)*(?:2f|5c)/i).some(isDots)
    ? "it holds . or .. as a segment"
    : undefined;
  if (fault) {
    throw new GatewayError("invalid_request", `Cannot follow a path below ${name}: ${fault}`, {
      param: "path",
    });
  }
}

/** URL parsers drop tabs and line ends, so these could hide dots. */
function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) < 0x20 || text.charCodeAt(i) === 0x7f) return true;
  }
  return false;
}

/**
 * Whether a segment is `.` or `..` in any form that a server may read: encoded, even twice (`%252e`), with blanks around it
 * (`.%20`), or with parameters (`..;a`).
 */
const isDots = (segment: string) =>
  /^(?:\s|%(?:25)*(?:0[0-9a-d]|20))*(?:\.|%(?:25)*2e){1,2}(?:\s|%(?:25)*(?:0[0-9a-d]|20))*(?:(?:;|%(?:25)*3b).*)?$/i
    .test(segment);

/** The URL of a path, with the row's version added if the path leaves it out: `messages` for `v1/messages`. */
function versioned(base: string, path: string, version: string | undefined): string {
  const segments = path.split("/");
  const isLeftOut = version !== undefined && !segments.some(isVersion) &&
    VERSIONED_WORDS.has(wordOf(segments[0]));
  return isLeftOut ? join(base, `${version}/${path}`) : below(base, path, version);
}

/** The word of a segment before its verb: `models` of `models:batch`. */
const wordOf = (segment: string) => segment.split(":", 1)[0];
