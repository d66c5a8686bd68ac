/** From a client's body to a provider's request. */
import type { Mender, Provider, Spoken, SpokenChat } from "../../providers/types.ts";
import { wireUrl } from "../../providers/urls.ts";
import { GatewayError } from "../../wires/errors.ts";
import type { AnswerFormat, Call, ClientWire, JsonObject } from "../../wires/types.ts";
import type { HeaderTarget } from "../../wires/shared/own_headers.ts";
import type { Framing } from "../../wires/streams/framing.ts";
import { type Body, writtenBody } from "./body.ts";
import type { Masks } from "../access/secrets.ts";
import type { Exchange } from "../exchange.ts";
import { handThrough, type Rewritten, type Rules } from "./hand_through.ts";
import { headerList } from "../../wires/shared/header_text.ts";
import { readSwitch, requestHeaders, type SentHeaders, setFixed } from "./headers.ts";
import { isSpoken, spokenTo } from "./spoken.ts";
import type { Target } from "../targets/find_target.ts";

/** A request ready to be sent to its target. */
export interface Outgoing {
  target: Target;
  /** Reads its answers. Absent where they are in the client's own wire, and go back as they come. */
  reader?: AnswerFormat;
  /** How its streams are framed, where they are read. Default: server-sent events. */
  framing?: Framing;
  /** What mends its answers, where they almost are in the client's own wire. */
  mender?: Mender;
  url: string;
  headers: SentHeaders;
  /** The body, for one try. */
  body: () => BodyInit;
  /** Client fields that the target cannot express. */
  dropped: string[];
  /** Absent when the bodies are handed through. */
  call?: Call;
  stream: boolean;
  /** Of tools that the answer calls otherwise than the client. */
  toolNames?: ReadonlyMap<string, string>;
  /** What no answer to the current try repeats. */
  masks: Masks;
}

/**
 * Prepares a request for a target.
 *
 * @param only The body is for no other target: it is used up, as same-wire bodies are changed in place, and written at once.
 * If it is for others too, it is written when it is first sent.
 * @param spoken How the target is asked. Default: for an answer.
 * @throws GatewayError for a body that is not a request of the client's wire, or one that `strict` refuses.
 */
export function prepare(
  body: Body,
  target: Target,
  { headers, account, config, client }: Exchange,
  only = true,
  spoken = spokenTo(target.provider, client, target.model, body.get),
): Outgoing {
  const { provider } = target;
  const isSame = isSpoken(spoken, client);
  checkBody(body, client, isSame);
  const rewritten = inDepth(() =>
    isSame
      ? handThrough(body, target, rulesOf(spoken, client), only, client.foreign)
      : rewrite(body, target, spoken, client, only)
  );
  const { path, dropped } = rewritten;
  refuseDropped(dropped, provider, headers, config);
  // Read before the body is written: what is changed in place stands elsewhere then.
  const stream = body.get("stream") === true;
  const write = () => inDepth(rewritten.write);
  let written = only ? write() : undefined;
  return {
    target,
    reader: isSame ? undefined : spoken.wire,
    framing: spoken.framing,
    mender: isSame ? menderOf(spoken, target.model) : undefined,
    url: wireUrl(provider, path, { account }, spoken.baseUrl),
    headers: writeHeaders(
      provider,
      headers,
      config,
      { wire: spoken.wire.name, isAuthor: spoken.isAuthor === true },
      rewritten.headers,
    ),
    body: () => written ??= write(),
    dropped,
    call: rewritten.call,
    stream,
    toolNames: rewritten.toolNames,
    masks: config.masks(),
  };
}

/** @throws GatewayError `dropped_fields` where the client, or the operator, wants all or nothing. */
export function refuseDropped(
  dropped: readonly string[],
  { name }: Provider,
  headers: Headers,
  { strict }: Exchange["config"],
): void {
  const isStrict = readSwitch(headers, "sluice-strict") || strict;
  if (dropped.length === 0 || !isStrict) return;
  throw new GatewayError(
    "dropped_fields",
    `Cannot send the request to ${name}: it has no way to express ${headerList(dropped)}`,
    { param: dropped[0] },
  );
}

/** What mends the answers of a model, by its row's column. */
export function menderOf(spoken: Spoken, model: string): Mender | undefined {
  const { conform, wire } = spoken as SpokenChat;
  if (!conform) return undefined;
  return conform === true || conform.test(model) ? wire.mender : undefined;
}

/** The rules of a wire, at the path that the client asks for. */
const rulesOf = (spoken: Spoken, { below }: ClientWire): Rules =>
  (below === undefined ? spoken : { ...spoken, path: spoken.path + below }) as Rules;

/**
 * Checks what is wrong with a request whichever of several targets it goes to: what is left to find when one is prepared
 * is what that target cannot be told.
 *
 * @param first Says how far the body is read: what is handed through is the provider's to check.
 * @throws GatewayError as `prepare`, for a body that is not a request of the client's wire.
 */
export function checkRequest(body: Body, first: Target, { headers, client }: Exchange): void {
  readSwitch(headers, "sluice-strict");
  const spoken = spokenTo(first.provider, client, first.model, body.get);
  const isSame = isSpoken(spoken, client);
  checkBody(body, client, isSame);
  if (!isSame) inDepth(() => readFor(body, first, spoken, client, false));
}

function checkBody(body: Body, client: ClientWire, isSame: boolean): void {
  // A long body is the provider's to check when it goes to it as it is.
  if (body.isChecked || (isSame && !body.isParsed())) return;
  client.checkCall(body.parsed());
  body.isChecked = true;
}

// ---------------------------------------------------------------- the two ways to a provider

/** JSON is read to any depth, but walked and written only as deep as the stack goes. */
export function inDepth<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new GatewayError("invalid_request", "Cannot read the request: it is nested too deeply", { cause });
  }
}

/** For any other wire: reads the call and writes it anew. */
function rewrite(body: Body, target: Target, spoken: Spoken, client: ClientWire, only: boolean): Rewritten {
  const { call, left } = readFor(body, target, spoken, client, only);
  // The gateway's own field, and unknown to the provider.
  if (!target.provider.ownModels) delete call.extra.models;
  const unread = takeExtra(call, spoken, client);
  const before = [...left, ...call.dropped, ...unread];
  if (isRuled(spoken)) return rewriteByRules(call, target, spoken, before);
  const { path, body: written, dropped, ...more } = spoken.wire.writeCall(call);
  const write = () => JSON.stringify(written);
  return { ...more, path: spoken.path || path, write, dropped: [...before, ...dropped], call };
}

/** Whether a row has rules for what bodies of its wire hold: those of the wire's own clients pass them too. */
const isRuled = (spoken: Spoken): spoken is SpokenChat => "fitMessages" in spoken.wire;

/** Writes a call as chat completions, and changes what the row asks for; what is lost has the client's paths. */
function rewriteByRules(call: Call, target: Target, spoken: SpokenChat, before: string[]): Rewritten {
  const { body, dropped, toolNames, clientPath } = spoken.wire.writeCall(call, spoken.takes);
  const fitted = handThrough(writtenBody(body), { ...target, model: call.model }, spoken, true);
  const lost = fitted.dropped.flatMap((path) => clientPath!(path) ?? []);
  return { ...fitted, dropped: [...new Set([...before, ...dropped, ...lost])], call, toolNames };
}

/**
 * Leaves out the fields that only the client's own wire knows, unless the target speaks it.
 *
 * @returns Their names.
 */
function takeExtra(call: Call, { wire }: Spoken, client: ClientWire): string[] {
  if (client.mixesFields || client.name === wire.name) return [];
  const names = Object.keys(call.extra);
  if (names.length > 0) call.extra = {};
  return names;
}

/** The call for a target, without the fields that its row leaves out. */
function readFor(
  body: Body,
  { model, provider }: Target,
  spoken: Spoken,
  client: ClientWire,
  only: boolean,
): { call: Call; left: string[] } {
  // Fields of the wire that is written: a client of another may have one of the same name.
  const left = isRuled(spoken) ? [] : spoken.drop?.filter(body.has) ?? [];
  const asked = left.length > 0 ? without(body.parsed(), left) : body.parsed();
  const name = provider.modelId?.(model) ?? model;
  return {
    call: only || left.length > 0 ? client.readCall(asked, name) : sharedCall(body, name, client),
    left,
  };
}

const without = (object: JsonObject, fields: readonly string[]): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([field]) => !fields.includes(field)));

/** A call that is read once for all targets. */
function sharedCall(body: Body, model: string, client: ClientWire): Call {
  body.call ??= client.readCall(body.parsed(), model);
  return { ...body.call, model, extra: { ...body.call.extra } };
}

// ---------------------------------------------------------------- the headers

/** The headers of a JSON request, without keys and without what is for others than its target. */
export function writeHeaders(
  provider: Provider,
  client: Headers,
  { keyHeaders, tokens }: Exchange["config"],
  target: HeaderTarget,
  wire?: Record<string, string>,
): SentHeaders {
  const headers = requestHeaders(client, keyHeaders, tokens.holds, target);
  headers.set("content-type", "application/json");
  setFixed(headers, provider);
  const own = provider.headers && wire ? { ...provider.headers, ...wire } : provider.headers ?? wire;
  for (const name in own) addHeader(headers, name.toLowerCase(), own[name]);
  return headers;
}

/** A client's list of betas and ours are both wanted; of anything else its own wins. */
function addHeader(headers: SentHeaders, name: string, value: string): void {
  const own = headers.get(name);
  if (own === null) headers.set(name, value);
  else if (name.endsWith("-beta") && !own.includes(value)) headers.set(name, `${own},${value}`);
}
