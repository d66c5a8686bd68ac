/**
 * Signs requests to Amazon: with a key of Bedrock as a bearer, or with a pair of keys by Signature Version 4.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
import { AwsV4Signer } from "npm:aws4fetch@1.0.20";
import { GatewayError } from "../../wires/errors.ts";
import type { Provider, Unsigned } from "../types.ts";
import { inDomain } from "../amazon.ts";
import { fillPlaces, isPlace } from "../urls.ts";
import { setUnfixed, signWithKey } from "./key.ts";
import { readKeySet } from "./key_set.ts";
import { readBedrockKey, refuseEnded } from "./short_lived.ts";

/** Headers of a signature. Only these and the host are signed, because proxies on the way change others. */
const SIGNED = ["x-amz-date", "x-amz-security-token"];

/** A client's headers that must not stand beside our signature: its session token belongs to other keys. */
const CLIENTS = [...SIGNED, "x-amz-content-sha256", "x-amz-user-agent"];

/** The derived keys of a day, by pair, region and service. Emptied when full: clients may bring pairs of their own. */
const DERIVED = new Map<string, ArrayBuffer>();
const MOST_DERIVED = 200;

/** Signs with a pair of keys, or sets a key as a bearer. `/anthropic` takes such a key only as `x-api-key`. */
export function signAmazon(request: Unsigned, provider: Provider, key: string): Promise<void> | void {
  const set = readKeySet(key);
  if (set) return signWithPair(request, provider, set);
  checkKey(request, provider, key);
  if (!/^https?:\/\/[^/]+\/(?:.*\/)?anthropic\/v1\//.test(request.url)) {
    return signWithKey(request, provider, key);
  }
  setUnfixed(request.headers, provider, "x-api-key", key);
}

/** The region in the name of one of Amazon's hosts. */
const regionIn = (hostname: string) => hostname.split(".").find((label) => isPlace("region", label));

/**
 * The URL of a call in the region that its key names, if the model names none; else in the row's.
 *
 * @throws GatewayError `invalid_request` if no region is known.
 */
export function amazonUrl(url: string, provider: Provider, key: string | undefined): string {
  if (!url.includes("{region}")) return url;
  const set = key === undefined ? undefined : readKeySet(key);
  const region = set?.region ?? provider.region ?? (key && readBedrockKey(key)?.region);
  const base = region ? inDomain(url, region) : url;
  return fillPlaces({ ...provider, keyedUrl: undefined }, base, region ? { region } : {});
}

/** @throws GatewayError for a short-lived key that has ended, or that is for another region. */
function checkKey({ url, places, now = Date.now() }: Unsigned, { name }: Provider, key: string): void {
  const told = readBedrockKey(key);
  if (!told) return;
  refuseEnded(told.endsAt, now, name, "set AWS_BEARER_TOKEN_BEDROCK to a new key");
  const region = regionIn(new URL(url).hostname) ?? places?.region;
  if (told.region === undefined || region === undefined || told.region === region) return;
  throw new GatewayError(
    "unauthorized",
    `Cannot sign in to ${name}: the key is for ${
      JSON.stringify(told.region.slice(0, 40))
    }, and the request goes to ` +
      `${region}. Write the model as ${name}/{region}/{model}, or set AWS_BEARER_TOKEN_BEDROCK to a key of ${region}`,
    { metadata: { provider: name } },
  );
}

async function signWithPair(
  { method, url, headers, body, places = {}, namesOnly, now = Date.now() }: Unsigned,
  provider: Provider,
  pair: Record<string, string>,
): Promise<void> {
  const { hostname } = new URL(url);
  const region = regionIn(hostname) ?? places.region ?? pair.region ?? provider.region;
  if (region === undefined) {
    throw new GatewayError(
      "invalid_request",
      `Cannot sign the request to ${provider.name}: it needs a region. Write the model as ` +
        `${provider.name}/{region}/{model}, or set AWS_REGION or the option providers.${provider.name}.region`,
    );
  }
  if (!namesOnly) { for (const name of CLIENTS) headers.delete(name); }
  const service = hostname.startsWith("bedrock-mantle.") ? "bedrock-mantle" : "bedrock";
  const signed = await signature({ method, url, body }, pair, { service, region }, now);
  for (const name of ["authorization", ...SIGNED]) {
    const value = signed.get(name);
    if (value !== null) setUnfixed(headers, provider, name, value);
  }
}

/**
 * The headers that sign a request by Signature Version 4.
 *
 * @param pair `accessKeyId`, `secretAccessKey`, and for temporary keys `sessionToken`.
 * @param now The time, in milliseconds since 1970.
 */
export async function signature(
  request: Pick<Unsigned, "method" | "url" | "body">,
  { accessKeyId, secretAccessKey, sessionToken }: Record<string, string>,
  scope: { service: string; region: string },
  now: number,
): Promise<Headers> {
  if (DERIVED.size >= MOST_DERIVED) DERIVED.clear();
  const signer = new AwsV4Signer({
    ...request,
    ...scope,
    accessKeyId,
    secretAccessKey,
    sessionToken,
    cache: DERIVED,
    datetime: new Date(now).toISOString().replace(/[:-]|\.\d{3}/g, ""),
  });
  return (await signer.sign()).headers;
}
