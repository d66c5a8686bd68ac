/** Amazon's columns: where its paths lead, and how clients write its models. */
import type { CallPath, NativePath } from "./types.ts";
import { isPlace } from "./urls.ts";

/**
 * The domains of AWS's partitions, by the beginning of their regions' names: the domain of most services, and the newer one
 * of services with IPv6. From `partitions.js` of `@aws-sdk/core` 3.981.2, November 2026.
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

const domainsOf = (region: string) => AWS_DOMAINS.find(([begins]) => region.startsWith(begins))!;

/** A URL whose region is still a place, in the domain of the region's partition. */
export function inDomain(url: string, region: string): string {
  const [, domain, newer] = domainsOf(region);
  return url.replace("{region}.amazonaws.com", `{region}.${domain}`)
    .replace("{region}.api.aws", `{region}.${newer}`);
}

/** The base URL of Amazon's newer service, which has hosts of its own. */
const ofMantle = (base: string) =>
  base.replace("bedrock-runtime.{region}.amazonaws.com", "bedrock-mantle.{region}.api.aws");

/** Paths: `bedrock-runtime/{region}/model/{id}/converse`, `bedrock-mantle/{region}/anthropic/v1/messages`. */
export const bedrock: NativePath = (base, path) => {
  const [service, region, ...rest] = path.split("/");
  if (rest.length === 0 || (service !== "bedrock-runtime" && service !== "bedrock-mantle")) return undefined;
  const host = service === "bedrock-mantle" ? ofMantle(base) : base;
  return { base: inDomain(host, region), path: rest.join("/"), places: { region } };
};

/** Words before a model's id that choose the way to it. */
const WAYS: ReadonlySet<string> = new Set(["converse", "invoke", "mantle", "messages"]);

/** Splits `[{region}/][{way}/]{id}`, in either order. The id may be an ARN, which has slashes of its own. */
function parts(model: string): { region?: string; way?: string; id: string } {
  let region: string | undefined, way: string | undefined;
  let id = model;
  for (;;) {
    const slash = id.indexOf("/");
    const first = id.slice(0, Math.max(0, slash));
    if (isPlace("region", first)) region ??= first;
    else if (WAYS.has(first)) way ??= first;
    else break;
    id = id.slice(slash + 1);
  }
  return { region: region ?? /^arn:[^:]*:bedrock:([^:]+):/.exec(id)?.[1], way, id };
}

/** The model's id without the words before it: `us.amazon.nova-pro-v1:0` of `us-east-1/converse/us.amazon.nova-pro-v1:0`. */
export const bedrockId = (model: string): string => parts(model).id;

/**
 * Paths of calls, in the region that the model names. Without one the place stays in the URL, because the key may name it: see
 * `amazonUrl`.
 */
export const bedrockCall: CallPath = ({ baseUrl }, path, model) => {
  const { region, way } = parts(model);
  const base = way === "mantle" ? ofMantle(baseUrl) : baseUrl;
  return region === undefined ? { base, path } : { base: inDomain(base, region), path, places: { region } };
};
