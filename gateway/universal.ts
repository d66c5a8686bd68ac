/** The universal endpoint: steps for several providers, each in its own format, until one answers. */
import * as v from "npm:valibot@1.5.0";
import { GatewayError } from "../wires/errors.ts";
import type { JsonObject } from "../wires/types.ts";
import { readBody } from "./body.ts";
import { chatStep, MOST_STEPS } from "./chat.ts";
import { prepare } from "./dispatch.ts";
import type { Exchange } from "./exchange.ts";
import { nativeHeaders, nativeStep } from "./native.ts";
import { runSteps, type Step } from "./policies/run.ts";
import { readPolicy } from "./policies/settings.ts";
import { findProvider, findTarget } from "./target.ts";

const STEP = v.looseObject({
  provider: v.pipe(v.string(), v.nonEmpty()),
  endpoint: v.string(),
  authorization: v.nullish(v.string()),
  headers: v.nullish(v.record(v.string(), v.unknown())),
  query: v.optional(v.unknown()),
  config: v.nullish(v.record(v.string(), v.unknown())),
});

const STEPS = v.pipe(v.array(STEP), v.nonEmpty(), v.maxLength(MOST_STEPS));

type UniversalStep = v.InferOutput<typeof STEP>;

/** Headers that belong to the connection and not to a step. */
const REFUSED: ReadonlySet<string> = new Set(["host", "content-length", "transfer-encoding", "connection"]);

/** The longest header value of a step, in characters. */
const LONGEST_HEADER = 16 * 1024;

/**
 * Serves a universal request: the winner's own body, status and content type, or the last step's when all fail.
 *
 * @param text `[{provider, endpoint, headers?, authorization?, query, config?}, …]`, or one such object.
 * @throws GatewayError with the path of the fault, e.g. `[1].endpoint`; nothing has been sent then.
 */
export async function universal(text: Uint8Array<ArrayBuffer>, exchange: Exchange): Promise<Response> {
  const steps: Step[] = [];
  for (const [at, step] of readSteps(text).entries()) steps.push(await readStep(step, `[${at}]`, exchange));
  return runSteps(steps, exchange);
}

function readSteps(text: Uint8Array): UniversalStep[] {
  let body: unknown;
  try {
    body = JSON.parse(new TextDecoder().decode(text));
  } catch (cause) {
    throw new GatewayError("invalid_request", "Cannot read the request: its body is not valid JSON", {
      cause,
    });
  }
  const result = v.safeParse(STEPS, Array.isArray(body) ? body : [body], { abortEarly: true });
  if (result.success) return result.output;
  const issue = result.issues[0];
  const path = (issue.path ?? []).map(({ key }) => typeof key === "number" ? `[${key}]` : `.${key}`).join("");
  const expected = issue.type === "max_length"
    ? `a list of ${MOST_STEPS} steps at most`
    : issue.type === "non_empty"
    ? "given"
    : issue.expected?.replaceAll(/[()"]/g, "");
  throw fault(path, `must be ${issue.input === undefined ? "given" : expected}`);
}

const fault = (param: string, state: string) =>
  new GatewayError("invalid_request", `Cannot read the request: ${param || "the body"} ${state}`, { param });

async function readStep(step: UniversalStep, path: string, exchange: Exchange): Promise<Step> {
  const { config, headers: outer } = exchange;
  const headers = readHeaders(step, path);
  // A step's settings: its config, its own headers, the request's headers, the options.
  const settings = readPolicy(headers, readPolicy(outer, config.policy), step.config ?? {}, path);
  const alias = headers.get("cf-aig-byok-alias") ?? outer.get("cf-aig-byok-alias");
  const stepHeaders = new Headers(headers);
  if (alias !== null) stepHeaders.set("cf-aig-byok-alias", alias);
  const caller = { ...exchange.caller, keys: await config.tokens.keys(headers) };
  const own: Exchange = { ...exchange, headers: stepHeaders, caller };
  const made = step.provider === "compat"
    ? compatStep(step, path, own, settings)
    : ownStep(step, path, own, settings);
  return { ...made, eventId: headers.get("cf-aig-event-id") ?? undefined };
}

function readHeaders({ headers: given, authorization }: UniversalStep, path: string): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(given ?? {})) {
    if (value === null || value === undefined) continue;
    const param = `${path}.headers.${name}`;
    const text = typeof value === "object" ? JSON.stringify(value) : String(value);
    if (REFUSED.has(name.toLowerCase())) throw fault(param, "cannot be set by a step");
    if (text.length > LONGEST_HEADER) throw fault(param, `is longer than ${LONGEST_HEADER} characters`);
    try {
      headers.set(name, text);
    } catch {
      throw fault(param, "is no HTTP header: its name or value has characters that headers cannot hold");
    }
    if (/[\r\n\0]/.test(text)) throw fault(param, "holds a line break");
  }
  if (authorization && !headers.has("authorization")) headers.set("authorization", authorization);
  return headers;
}

/** A chat completion, translated as on the compat path. */
function compatStep(
  { endpoint, query }: UniversalStep,
  path: string,
  exchange: Exchange,
  settings: Step["settings"],
): Step {
  if (!/^\/?(v1\/)?chat\/completions\/?$/.test(endpoint)) {
    throw new GatewayError("invalid_model", `Compatibility endpoint: ${endpoint} is not supported.`, {
      param: `${path}.endpoint`,
    });
  }
  const body = readBody(bodyText(query));
  const target = findTarget(body.get("model"), exchange.config.providers);
  exchange.caller.check(target.provider);
  return chatStep(prepare(body, target, exchange), settings, exchange, true);
}

/** A call in the provider's own format. */
function ownStep(
  { provider: slug, endpoint, query }: UniversalStep,
  path: string,
  exchange: Exchange,
  settings: Step["settings"],
): Step {
  const provider = findProvider(slug, exchange.config.providers, `${path}.provider`);
  exchange.caller.check(provider);
  const headers = nativeHeaders(provider, exchange);
  if (!headers.has("content-type")) headers.set("content-type", "application/json");
  const model = (query as JsonObject | null | undefined)?.model;
  return nativeStep(
    {
      provider,
      endpoint: endpoint.replace(/^\//, ""),
      model: typeof model === "string" ? model : undefined,
      method: "POST",
      headers,
      body: bodyText(query),
    },
    settings,
    exchange,
  );
}

function bodyText(query: unknown): Uint8Array<ArrayBuffer> {
  if (query === undefined || query === null) return new Uint8Array();
  return new TextEncoder().encode(typeof query === "string" ? query : JSON.stringify(query));
}
