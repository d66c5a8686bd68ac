/** Makes URLs of providers: fills the places of a base URL and appends a path. */
import { GatewayError } from "../wires/errors.ts";
import type { Places, Provider } from "./types.ts";

/**
 * The labels that each place of a base URL accepts. A region must have the form of its cloud's regions, because any other
 * label may lead to another service's host, such as `s3.amazonaws.com`.
 */
const PLACES: Record<keyof Places, { pattern: RegExp; noun: string }> = {
  account: { pattern: /^[\w-]{1,64}$/, noun: "an account id" },
  /** Google's regions: `us-central1`, `europe-west12` */
  location: { pattern: /^[a-z]+-[a-z]+\d{1,2}$/, noun: "a region" },
  model: { pattern: /^[a-z0-9]+$/i, noun: "an id" },
  /** `my-project`, `example.com:my-project`, `123456789012` */
  project: { pattern: /^[a-z0-9](?:[a-z0-9.:-]*[a-z0-9])?$/, noun: "a project" },
  /** Amazon's regions: `us-east-1`, `us-gov-west-1`, `eusc-de-east-1` */
  region: { pattern: /^(?:[a-z]{2}|eusc)(-[a-z]+)+-\d$/, noun: "a region" },
  resource: { pattern: /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/i, noun: "a resource" },
};

/** Whether a base URL may have a place of this name. */
export const isPlaceName = (name: string): boolean => Object.hasOwn(PLACES, name);

/** A label must be shorter than this, as labels of hosts have at most 63 characters. An account id may have 64. */
const MOST_CHARS = 64;

/**
 * Fills the places of a base URL, e.g. `{region}`. No other function writes into a URL's host.
 *
 * @param places The labels. A label without a place in the base URL is ignored, e.g. if the operator set another URL.
 * @throws GatewayError `invalid_request` for a label that is missing or malformed.
 */
export function fillPlaces(provider: Provider, base: string, places: Places): string {
  if (!base.includes("{")) return base;
  const { name } = provider;
  return base.replace(/\{(\w+)\}/g, (written, place: keyof Places) => {
    const label = places[place];
    // The key may tell it: `keyedUrl` fills it in, or says that it is missing.
    if (label === undefined && provider.keyedUrl) return written;
    const { noun } = PLACES[place];
    if (label !== undefined && isPlace(place, label)) return label;
    const fault = label === undefined
      ? `it needs ${noun}`
      : `${JSON.stringify(label.slice(0, 100))} is not ${noun}`;
    throw new GatewayError(
      "invalid_request",
      `Cannot reach ${name}: ${fault}${CURES[place]?.(provider) ?? ""}`,
    );
  });
}

const CURES: Partial<Record<keyof Places, (provider: Provider) => string>> = {
  region: ({ name }) =>
    `. Write the model as ${name}/{region}/{model}, or set AWS_REGION or the option providers.${name}.region`,
  account: () => ". Set CLOUDFLARE_ACCOUNT_ID, or name it in the path: /v1/{account_id}/{gateway_id}/…",
  resource: ({ name, baseUrl, settingEnv = {} }) =>
    `. Write the model as ${name}/{resource}/{deployment}, or set ${settingEnv.resource?.[0]}, ` +
    `${settingEnv.baseUrl?.[0]} (${new URL("/", baseUrl.replace("{resource}", "resource")).origin}) ` +
    `or the option providers.${name}.resource`,
};

/** @throws GatewayError `invalid_request` for a label in a native path that its place does not accept. */
export function checkPlaces(places: Places): void {
  for (const place of Object.keys(places) as (keyof Places)[]) {
    const label = places[place]!;
    if (isPlace(place, label)) continue;
    throw new GatewayError(
      "invalid_request",
      `Cannot follow the path: ${JSON.stringify(label.slice(0, 100))} is not ${PLACES[place].noun}`,
      { param: "path" },
    );
  }
}

/** Whether a place of a base URL accepts a label. */
export const isPlace = (place: keyof Places, label: string) =>
  label.length < MOST_CHARS + Number(place === "account") && PLACES[place].pattern.test(label);

/** Whether Google has such a location: a region, or one of those that are no region. */
export const isLocation = (text: string): boolean =>
  ["eu", "global", "us"].includes(text) || isPlace("location", text);

/**
 * The URL of a wire's path below the provider's base URL.
 *
 * @param path The path with its query: `/v1/messages`.
 * @param model The model as the client wrote it.
 * @param base Default: the provider's base URL.
 * @throws The errors of `fillPlaces`.
 */
export function wireUrl(
  provider: Provider,
  path: string,
  model: string,
  account: string | undefined,
  base = provider.baseUrl,
): string {
  const { callPath } = provider;
  if (!callPath) return below(fillPlaces(provider, base, { account }), path.slice(1));
  const leads = callPath(provider, path, model);
  const filled = below(fillPlaces(provider, leads.base, { account, ...leads.places }), leads.path.slice(1));
  // The model's id is one segment, also an ARN with a slash.
  return filled.replace("{model}", () => encodeURIComponent(provider.modelId?.(model) ?? model));
}

/** The labels for places that a model names, or the provider's own, for a signature that holds them. */
export const wirePlaces = (provider: Provider, path: string, model: string): Places | undefined =>
  provider.keySet && provider.callPath?.(provider, path, model).places;

/** Whether a segment is a version: `v1`, `v1beta`. */
export const isVersion = (segment: string) => /^v\d+([a-z]+\d*)?$/.test(segment);

/**
 * Appends a path to a base URL. Segments at the end of the base that the path repeats are written once if one of them is a
 * version: `v1/models` and `api/v1/models` below `https://openrouter.ai/api/v1` are the same URL.
 *
 * @param path The path without a leading slash. An empty path is the base itself.
 * @param version The row's version. With it, segments without a version are also written once if a version follows them:
 * `api/v1/…` below `https://openrouter.ai/api`.
 */
export function below(base: string, path: string, version?: string): string {
  // Written without lists, because every call comes here.
  for (let at = base.indexOf("/", base.indexOf("://") + 3); at !== -1; at = base.indexOf("/", at + 1)) {
    const overlap = base.slice(at + 1);
    const rest = path.slice(overlap.length);
    if (!path.startsWith(overlap) || (rest !== "" && rest[0] !== "/")) continue;
    const [next] = rest.slice(1).split("/", 1);
    if (overlap.split("/").some(isVersion) || version !== undefined && isVersion(next)) {
      return join(base, rest.slice(1));
    }
  }
  return join(base, path);
}

/** Joins a base URL and a path. An empty path is the base itself. */
export const join = (base: string, path: string) => path === "" ? base : `${base}/${path}`;
