/** Answers with what would be sent, in place of sending it: the header `sluice-explain`. */
import { GatewayError } from "../../wires/errors.ts";
import { headerList } from "../../wires/shared/header_text.ts";
import type { Exchange, Explainer, Unsent } from "../exchange.ts";
import { readyPrices } from "../log/prices.ts";
import type { Attempt, Send, Step } from "../policies/attempt.ts";
import type { PolicySettings } from "../policies/settings.ts";
import { readSwitch } from "../upstream/headers.ts";
import { callerOf, policiesOf } from "./caller.ts";
import { type Dropped, reasonsOf } from "./dropped.ts";
import type { Sizes } from "../policies/token_limits.ts";
import { addSizes, estimateOf, sizesOf } from "./estimate.ts";
import { bodyShower } from "./shown_body.ts";
import { shownHeaders, shownUrl } from "./shown_headers.ts";

/** What is known of a target. */
interface Explained {
  provider: string;
  model?: string;
  eventId?: string;
  /** The way through a route that leads to it. */
  way?: string;
  settings?: PolicySettings;
  /** The reason why the request is not sent to this target. */
  error?: GatewayError;
  /** The requests as JSON. A request for many embeddings becomes several. */
  requests: string[];
  dropped: Dropped[];
  /** The sizes of all requests; `null` if one of them is not known. */
  sizes?: Sizes | null;
  /** The exchange that the requests were written for. A universal step has its own. */
  exchange?: Exchange;
}

const NOTE = "Nothing was sent. Tokens and costs are estimates.";

/** Doors that may call providers, but for a list and not for a model's answer. */
const LISTS: ReadonlySet<string> = new Set(["models", "model"]);

/**
 * The exchange of a request whose client asks only what would be sent. Its doors find targets and write requests as always. The
 * requests are then kept for the answer, and no policy and no provider is called.
 *
 * @param door The name of the request's door.
 * @throws GatewayError `invalid_request` for a door whose requests are not for a model.
 */
export async function explaining(asked: Exchange, door: string): Promise<Exchange> {
  const { config, report, context } = asked;
  if (LISTS.has(door)) {
    const message = "Cannot explain the request: it is for a list of models; leave sluice-explain out";
    throw new GatewayError("invalid_request", message, { param: "sluice-explain" });
  }
  report.explained = true;
  await readyPrices(config.prices, context);
  const { explain, walk } = explainer(asked, door !== "count");
  report.envelope = () => Promise.resolve(explain.answer());
  return { ...asked, explain, config: { ...config, send: walk } };
}

/**
 * Makes the explainer of one request, and the function that takes the place of the policies.
 *
 * @param isPriced Whether the requests cost money. Counting tokens does not.
 */
function explainer(asked: Exchange, isPriced: boolean): { explain: Explainer; walk: Send } {
  const targets: Explained[] = [];
  const showBody = bodyShower();
  let current: Explained | undefined;

  function begin(
    target: Pick<Explained, "provider" | "model" | "eventId" | "way" | "settings" | "error">,
  ): Explained {
    const explained = { ...target, requests: [], dropped: [] };
    targets.push(explained);
    return explained;
  }

  async function take(request: Unsent, exchange: Exchange): Promise<undefined> {
    // A count of tokens goes through no policy, so no step is being explained.
    const target = current ?? begin({ provider: request.provider.name, model: request.model });
    target.exchange = exchange;
    const { keyOf = null } = request;
    if (target.requests.length === 0) target.dropped = reasonsOf(request, exchange);
    const { text, parsed, note } = showBody(request.body);
    target.sizes = addSizes(target.sizes, isPriced ? sizesOf(parsed, request) : null);
    const place = target.requests.push("") - 1;
    const { method, url } = request;
    const { headers, hidden } = await shownHeaders(request, exchange.config.keyHeaders);
    const told = { method, url: shownUrl(url), headers, hiddenHeaders: hidden, key: keyOf, bodyNote: note };
    target.requests[place] = withMember(told, "body", text);
    return undefined;
  }

  async function walk({ step, others, ...attempt }: Attempt): Promise<Response> {
    const steps = [step, ...others];
    const faults: { unsent?: GatewayError; failed?: GatewayError } = {};
    for (const [index, one] of steps.entries()) {
      // Writing a long body for each of twenty targets takes a second: other requests are served in between.
      if (index > 0) await new Promise((resolve) => setTimeout(resolve));
      attempt.signal.throwIfAborted();
      const { provider, model, eventId, way, settings } = one;
      current = begin({ provider, model, eventId, way, settings });
      const unsent = others.length > 0 ? one.fault?.() : undefined;
      const failed = unsent ? undefined : await faultOf(one, { ...attempt, step: one, index, others: [] });
      faults.unsent ??= unsent;
      faults.failed = failed ?? faults.failed;
      current.error = unsent ?? failed;
    }
    current = undefined;
    const first = targets.findIndex(({ error }) => !error);
    // No target takes the request: the call itself would fail with this error.
    if (first < 0) throw faults.failed ?? faults.unsent;
    tellReport(asked, steps[first], first);
    return new Response(null);
  }

  function answer(refused?: Parameters<Explainer["answer"]>[0]): Response {
    if (refused && targets.length === 0) {
      const { target: { provider, model }, error } = refused;
      begin({ provider: provider.name, model, error });
    }
    return write(asked, targets);
  }

  return { explain: { take, answer }, walk };
}

/** The GatewayError of a step that is not sent. */
async function faultOf(step: Step, attempt: Attempt): Promise<GatewayError | undefined> {
  try {
    await step.send(attempt);
    return undefined;
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
}

/** Names the first target that would be asked, for the answer's headers and the row. */
function tellReport({ report }: Exchange, { provider, model, place, eventId }: Step, index: number): void {
  Object.assign(report, { provider, model, place, eventId, step: index });
}

// ---------------------------------------------------------------- the answer

function write(asked: Exchange, targets: readonly Explained[]): Response {
  const about = {
    object: "sluice.explanation",
    note: targets.length > 0 ? NOTE : `${NOTE} Nothing would be sent either: the gateway itself answers.`,
    caller: callerOf(asked),
    policies: policiesOf(asked),
    ...(asked.report.route && { route: asked.report.route }),
  };
  const list = `[${targets.map((target) => written(target, asked)).join(",")}]`;
  const headers = new Headers({ "content-type": "application/json", "cache-control": "no-store" });
  const { dropped = [] } = targets.find(({ error }) => !error) ?? {};
  // As in the answer of the call itself.
  if (dropped.length > 0) headers.set("sluice-dropped", headerList(dropped.map(({ field }) => field)));
  return new Response(withMember(about, "targets", list), { headers });
}

function written(
  { error, requests, dropped, sizes, settings, exchange, ...target }: Explained,
  asked: Exchange,
): string {
  const { config, headers } = exchange ?? asked;
  const strict = readSwitch(headers, "sluice-strict") || config.strict;
  const told = {
    ...target,
    error: error && { code: error.code, message: error.message, param: error.details.param },
    dropped,
    policies: { ...settings, strict },
    estimate: error ? null : estimateOf(target, sizes ?? null, headers, config.prices),
  };
  // A request that was written before its error is not sent either.
  return withMember(told, "requests", `[${error ? "" : requests.join(",")}]`);
}

/** The JSON of an object with one more member, whose value is JSON already. */
function withMember(object: object, name: string, json: string): string {
  const text = JSON.stringify(object);
  return `${text.slice(0, -1)}${text === "{}" ? "" : ","}${JSON.stringify(name)}:${json}}`;
}
