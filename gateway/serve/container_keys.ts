/**
 * Amazon's keys of the container that the gateway is served in: ECS, EKS Pod Identity and the like serve them to it alone, and
 * tell where by variables.
 *
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html (2026-11)
 */
import { GatewayError } from "../../wires/errors.ts";
import { parseObject } from "../../wires/shared/json.ts";
import { readAll } from "../../wires/streams/chunks.ts";
import type { Fetch, Provider } from "../../providers/types.ts";
import type { MakeKey } from "../access/made_keys.ts";
import type { Env } from "../setup/env.ts";

/** The host of ECS, before the path that `…_RELATIVE_URI` names. */
const ECS = "http://169.254.170.2";

/** Hosts that may be asked without TLS: this machine, and those of ECS and EKS. Any other would see the token. */
const NEAR =
  /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\]|169\.254\.170\.2|169\.254\.170\.23|\[fd00:ec2::23\])$/;

const MOST_MS = 5000, MOST_BYTES = 64 * 1024;

const VARIABLES = {
  relative: "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
  full: "AWS_CONTAINER_CREDENTIALS_FULL_URI",
  token: "AWS_CONTAINER_AUTHORIZATION_TOKEN",
  file: "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
} as const;

/**
 * The function that gets a container's keys; `undefined` if its variables are not set.
 *
 * @param warn Takes a warning of an address that is not asked: the variables may be meant for another program.
 */
export function containerKeys(
  { name: provider }: Provider,
  env: Env,
  open: (path: string) => Promise<ReadableStream<Uint8Array>>,
  fetch: Fetch,
  warn: (message: string) => void,
): MakeKey | undefined {
  const set = (name: string) => env(name)?.trim() || undefined;
  const relative = set(VARIABLES.relative), full = set(VARIABLES.full);
  if (relative === undefined && full === undefined) return undefined;
  const name = relative === undefined ? VARIABLES.full : VARIABLES.relative;
  const url = relative === undefined ? full! : ECS + relative;
  const isRight = URL.canParse(url) && (relative === undefined || relative.startsWith("/"));
  const { protocol, hostname } = isRight ? new URL(url) : { protocol: "", hostname: "" };
  if (protocol !== "https:" && !(protocol === "http:" && NEAR.test(hostname))) {
    warn(
      `${name} is not read: it must be an address of ECS, of EKS, of this machine, or begin with https://`,
    );
    return undefined;
  }
  const tokenOf = async (): Promise<string | undefined> => {
    const file = set(VARIABLES.file);
    // Read each time, because EKS writes a new token before the old one ends.
    if (file === undefined) return set(VARIABLES.token);
    return new TextDecoder().decode(await readAll(await open(file), MOST_BYTES, () => {})).trim();
  };
  return async () => await ask(provider, url, await tokenOf(), fetch);
}

const faultOf = (provider: string) => (why: string, cause?: unknown) =>
  new GatewayError(
    "upstream_unreachable",
    `Cannot sign in to ${provider}: the container's credentials ${why}`,
    { metadata: { provider }, cause },
  );

async function ask(provider: string, url: string, token: string | undefined, fetch: Fetch) {
  const fault = faultOf(provider);
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) throw fault("need a token of one line");
  let status: number, body: Record<string, unknown>;
  try {
    const answer = await fetch(url, {
      headers: { accept: "application/json", ...(token !== undefined && { authorization: token }) },
      // A redirect could lead the token elsewhere.
      redirect: "manual",
      signal: AbortSignal.timeout(MOST_MS),
    });
    status = answer.status;
    const bytes = answer.body ? await readAll(answer.body, MOST_BYTES, () => {}) : new Uint8Array();
    body = parseObject(new TextDecoder().decode(bytes)) ?? {};
  } catch (cause) {
    throw fault("did not come: no answer", cause);
  }
  const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, Token, Expiration } = body;
  if (status !== 200 || typeof accessKeyId !== "string" || typeof secretAccessKey !== "string") {
    throw fault(`did not come: answered ${status} without keys`);
  }
  const ends = typeof Expiration === "string" ? new Date(Expiration) : undefined;
  return {
    accessKeyId,
    secretAccessKey,
    ...(typeof Token === "string" && { sessionToken: Token }),
    ...(ends && !Number.isNaN(ends.getTime()) && { expiration: ends }),
  };
}
