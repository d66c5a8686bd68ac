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

/** The base URL in the domain of the region's partition. */
const inDomain = (base: string, region: string) =>
  base.replace("{region}.amazonaws.com", `{region}.${domainsOf(region)[1]}`);

/** Paths: `bedrock-runtime/{region}/model/{id}/converse`, `bedrock-mantle/{region}/anthropic/v1/messages`. */
export const bedrock: NativePath = (base, path) => {
  const [service, region, ...rest] = path.split("/");
  if (rest.length === 0 || (service !== "bedrock-runtime" && service !== "bedrock-mantle")) return undefined;
  const host = service === "bedrock-mantle"
    ? base.replace(
      "bedrock-runtime.{region}.amazonaws.com",
      `bedrock-mantle.{region}.${domainsOf(region)[2]}`,
    )
    : inDomain(base, region);
  return { base: host, path: rest.join("/"), places: { region } };
};

/** Words before a model's id that choose the way to it. */
const WAYS: ReadonlySet<string> = new Set(["converse", "invoke", "messages"]);

/** Splits `[{region}/][{way}/]{id}`, in either order. The id may be an ARN, which has slashes of its own. */
function parts(model: string): { region?: string; id: string } {
  let region: string | undefined;
  let id = model;
  for (;;) {
    const slash = id.indexOf("/");
    const first = id.slice(0, Math.max(0, slash));
    if (isPlace("region", first)) region ??= first;
    else if (!WAYS.has(first)) break;
    id = id.slice(slash + 1);
  }
  return { region: region ?? /^arn:[^:]*:bedrock:([^:]+):/.exec(id)?.[1], id };
}

/** The model's id without the words before it: `us.amazon.nova-pro-v1:0` of `us-east-1/converse/us.amazon.nova-pro-v1:0`. */
export const bedrockId = (model: string): string => parts(model).id;

/** Paths of calls, in the region that the model names, or in the row's. */
export const bedrockCall: CallPath = ({ baseUrl, region: usual }, path, model) => {
  const { region = usual } = parts(model);
  const base = region === undefined ? baseUrl : inDomain(baseUrl, region);
  return { base, path, places: { region } };
};
