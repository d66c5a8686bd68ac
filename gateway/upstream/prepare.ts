/** Turns a client's body into a provider's request. */
import type { Mender, Places, Provider, Spoken, SpokenChat } from "../../providers/types.ts";
import { wirePlaces, wireUrl } from "../../providers/urls.ts";
import { GatewayError } from "../../wires/errors.ts";
import type { AnswerFormat, Call, ClientWire, JsonObject } from "../../wires/types.ts";
import type { HeaderTarget } from "../../wires/shared/own_headers.ts";
import type { Framing } from "../../wires/streams/framing.ts";
import { usageToAsk, withUsageAsked } from "./asked_usage.ts";
import { type Body, writtenBody } from "./body.ts";
import { takeMembers, withMembers } from "./body_form.ts";
import { keylessQuery } from "../access/query.ts";
import type { Masks } from "../access/secrets.ts";
import type { Exchange } from "../exchange.ts";
import { handThrough, type Rewritten, type Rules } from "./hand_through.ts";
import { headerList } from "../../wires/shared/header_text.ts";
import { readSwitch, requestHeaders, type SentHeaders, setFixed } from "./headers.ts";
import { isRuled, isSpoken, ruledBy, spokenTo } from "./spoken.ts";
import type { Target } from "../targets/find_target.ts";

/** A request that is ready for its target. */
export interface Outgoing {
  target: Target;
  /** Reads the answers. Absent if they are in the client's own wire and are handed through. */
  reader?: AnswerFormat;
  /** Reads errors that are not in the form of the answers. */
  errors?: Pick<AnswerFormat, "readError">;
  /** The framing of streams. Default: server-sent events. */
  framing?: Framing;
  /** Repairs answers that are almost in the client's own wire. */
  mender?: Mender;
  url: string;
  headers: SentHeaders;
  /** What the model names of places in the URL, for the signer. */
  places?: Places;
  /** Returns the body for one attempt. */
  body: () => BodyInit;
  /** The client's fields that the target does not have. */
  dropped: string[];
  /** Absent if the body is handed through. */
  call?: Call;
  stream: boolean;
  /** Whether the gateway itself has asked for the usage of the stream, which the client must not get. */
  isUsageOurs?: boolean;
  /** The client's names of tools, by their names in the answer, if these differ. */
  toolNames?: ReadonlyMap<string, string>;
  /** See `WireRequest`. */
  bound?: () => string;
  /** The masks of the current attempt's answer. */
  masks: Masks;
}

/**
 * Prepares a request for a target.
 *
 * @param only Whether no other target needs the body. If so, it is written at once, and a body of the same wire is edited in
 * place. If not, it is written when it is first sent.
 * @param spoken The wire to use. Default: the wire for answers (`spokenTo`).
 * @throws GatewayError for a body that is not a request of the client's wire, or that `strict` refuses.
 */
export function prepare(
  body: Body,
  target: Target,
  exchange: Exchange,
  only = true,
  spoken = spokenTo(target.provider, exchange.client, target.model, body.get),
): Outgoing {
  const { query, headers, account, config, client } = exchange;
  const { provider, model } = target;
  const isSame = isSpoken(spoken, client);
  const known = asKnown(target);
  checkBody(body, client, isSame);
  const rewritten = inDepth(() =>
    isSame
      ? handThrough(body, known, rulesOf(spoken, client), only, client.foreign)
      : rewrite(body, known, spoken, client, only)
  );
  const { dropped } = rewritten;
  // Read before the body is written: an edit in place moves its members.
  const stream = body.get("stream") === true;
  // A client's wire may ignore the field, as Responses does where it compacts.
  const path = (rewritten.call?.stream ?? stream) && spoken.streamPath || rewritten.path;
  const { form } = spoken;
  const receiver = { wire: spoken.wire.name, isAuthor: spoken.isAuthor === true };
  const sent = writeHeaders(
    provider,
    headers,
    config,
    receiver,
    spoken.headers ? { ...spoken.headers, ...rewritten.headers } : rewritten.headers,
  );
  const added = form && takeMembers(form, sent, body.get, dropped);
  refuseDropped(dropped, provider, headers, config);
  const usage = isSame ? usageToAsk(body.get, spoken, target, exchange) : undefined;
  const write = () => inDepth(() => completed(rewritten.write(), added, usage));
  let written = only ? write() : undefined;
  return {
    target,
    reader: isSame ? undefined : spoken.wire,
    errors: spoken.readError && { readError: spoken.readError },
    framing: spoken.framing,
    mender: isSame ? menderOf(spoken, model) : undefined,
    url: withQuery(
      wireUrl(provider, path, model, account, spoken.baseUrl),
      // Anthropic's clients name their betas' form there: `?beta=true`.
      query && isSame && spoken.isAuthor && !form ? keylessQuery(query, config.tokens) : "",
    ),
    headers: sent,
    places: wirePlaces(provider, path, model),
    body: () => written ??= write(),
    dropped,
    call: rewritten.call,
    stream,
    isUsageOurs: usage !== undefined,
    toolNames: rewritten.toolNames,
    bound: rewritten.bound,
    masks: config.masks(),
  };
}

/** A written body with what is no field of the client's. */
function completed(body: BodyInit, added: JsonObject | undefined, usage: JsonObject | undefined): BodyInit {
  const whole = added ? withMembers(body, added) : body;
  return usage ? withUsageAsked(whole, usage) : whole;
}

/** A URL, which may have a query, with more parameters. @param query Empty, or with its `?`. */
const withQuery = (url: string, query: string): string =>
  url + (url.includes("?") ? query.replace("?", "&") : query);

/** The target, with the provider's own name for the model, and the model behind it. */
export function asKnown(target: Target): Target {
  const { provider, model } = target;
  const { modelId, baseModels } = provider;
  return modelId || baseModels
    ? { ...target, model: modelId?.(model) ?? model, baseModel: ruledBy(provider, model) }
    : target;
}

/**
 * Fields that agents send with every call, and that most providers have nothing like. Without them an answer may be longer,
 * slower or dearer, but it answers the same question with the same tools.
 */
const HINTS: readonly RegExp[] = [
  // Marks for caches: `system[1].cache_control`, `messages[0].content[1].cache_control.ttl`, `prompt_cache_key`.
  /(?:^|\.)(?:cache_control|prompt_cache_breakpoint)(?:\.ttl)?$/,
  /^prompt_cache_\w+$/,
  // Who asks.
  /^metadata\.user_id$/,
  // How hard to think, how to show that, and how long to answer: `output_config.effort`, `text.verbosity`.
  /^reasoning\.(?:effort|generate_summary|summary)$/,
  /(?:^|\.)output_config\.effort$/,
  /^(?:text\.)?verbosity$/,
  // Which copy of a page a search reads, and how much of it: `tools[3].external_web_access`.
  /\.(?:external_web_access|index_gated_web_access|search_content_types|search_context_size)$/,
  // What to forget once a conversation is long. The model then knows more, and never less.
  /^context_management\.edits\[\d+\]$/,
];

/** Whether a field is one of these hints. */
export const isHint = (path: string) => HINTS.some((hint) => hint.test(path));

/**
 * @throws GatewayError `dropped_fields` if fields other than hints are dropped, and the client or the operator has set `strict`.
 */
export function refuseDropped(
  dropped: readonly string[],
  { name }: Provider,
  headers: Headers,
  { strict }: Exchange["config"],
): void {
  const isStrict = readSwitch(headers, "sluice-strict") || strict;
  const lost = isStrict ? dropped.filter((path) => !isHint(path)) : [];
  if (lost.length === 0) return;
  throw new GatewayError(
    "dropped_fields",
    `Cannot send the request to ${name}: it does not take ${
      headerList(lost)
    }; leave it out, or turn strict off`,
    { param: lost[0] },
  );
}

/** The function that repairs the answers of a model, if its row's `conform` says so. */
export function menderOf(spoken: Spoken, model: string): Mender | undefined {
  const { conform, wire } = spoken as SpokenChat;
  if (!conform) return undefined;
  return conform === true || conform.test(model) ? wire.mender : undefined;
}

/** The columns of a wire, with the path that the client requests. */
const rulesOf = (spoken: Spoken, { below }: ClientWire): Rules =>
  (below === undefined ? spoken : { ...spoken, path: spoken.path + below }) as Rules;

/**
 * Checks a request for several targets. Faults that `prepare` finds after this check are due to one target.
 *
 * @param first The first target. If the body is handed through to it, its provider checks the body.
 * @throws GatewayError for a body that is not a request of the client's wire.
 */
export function checkRequest(body: Body, first: Target, { headers, client }: Exchange): void {
  readSwitch(headers, "sluice-strict");
  const spoken = spokenTo(first.provider, client, first.model, body.get);
  const isSame = isSpoken(spoken, client);
  checkBody(body, client, isSame);
  if (!isSame) inDepth(() => readFor(body, first, spoken, client, false));
}

function checkBody(body: Body, client: ClientWire, isSame: boolean): void {
  // A long body that is handed through is not parsed here; the provider checks it.
  if (body.isChecked || (isSame && !body.isParsed())) return;
  client.checkCall(body.parsed());
  body.isChecked = true;
}

// ---------------------------------------------------------------- writing

/** Runs work that walks through JSON. Deep JSON may overflow the stack, which becomes a GatewayError. */
export function inDepth<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new GatewayError("invalid_request", "Cannot read the request: its body is nested too deeply", {
      cause,
    });
  }
}

/** Reads the call and writes it anew, for a provider of another wire than the client's. */
function rewrite(body: Body, target: Target, spoken: Spoken, client: ClientWire, only: boolean): Rewritten {
  const { call, left } = readFor(body, target, spoken, client, only);
  // The list `models` is for the gateway. The provider does not know it.
  if (!target.provider.ownModels) delete call.extra.models;
  const unread = takeExtra(call, spoken, client);
  const before = [...left, ...call.dropped, ...unread];
  if (isRuled(spoken)) return rewriteByRules(call, target, spoken, before);
  const { path, body: written, dropped, ...more } = spoken.wire.writeCall(call);
  for (const member of spoken.form?.without ?? []) delete written[member];
  const write = () => JSON.stringify(written);
  return { ...more, path: spoken.path || path, write, dropped: [...before, ...dropped], call };
}

/** Each server knows `system`. Templates of open models refuse `developer`, which means the same to OpenAI. */
const KNOWN_ROLES = { developer: "system" };

/** Writes a call as chat completions, and edits it as the row asks. Dropped fields have the client's paths. */
function rewriteByRules(call: Call, target: Target, spoken: SpokenChat, before: string[]): Rewritten {
  const { body, dropped, toolNames, clientPath } = spoken.wire.writeCall(call, spoken.takes);
  const hasDeveloper = call.messages.some(({ role }) => role === "developer");
  const rules = hasDeveloper ? { ...spoken, messages: { roles: KNOWN_ROLES, ...spoken.messages } } : spoken;
  const fitted = handThrough(writtenBody(body), { ...target, model: call.model }, rules, true);
  const lost = fitted.dropped.flatMap((path) => clientPath!(path) ?? []);
  return { ...fitted, dropped: [...new Set([...before, ...dropped, ...lost])], call, toolNames };
}

/**
 * Takes the fields out of a call that only the client's wire knows, unless the target speaks this wire.
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
  { model, baseModel }: Target,
  spoken: Spoken,
  client: ClientWire,
  only: boolean,
): { call: Call; left: string[] } {
  // Rules are for fields of the wire that is written. A client of another wire may have another field of the same name.
  const left = isRuled(spoken) ? [] : spoken.drop?.filter(body.has) ?? [];
  const asked = left.length > 0 ? without(body.parsed(), left) : body.parsed();
  const call = only || left.length > 0 ? client.readCall(asked, model) : sharedCall(body, model, client);
  if (baseModel !== undefined) call.baseModel = baseModel;
  return { call, left: spoken.serverTools === false ? [...left, ...takeServerTools(call)] : left };
}

/** Takes the tools that the provider would run itself out of a call. @returns Their paths. */
function takeServerTools(call: Call): string[] {
  const { settings: { tools = [] } } = call;
  const taken = tools.filter(({ type }) => type === "server" || type === "mcp");
  if (taken.length > 0) {
    call.settings = {
      ...call.settings,
      tools: tools.filter((tool) => !taken.includes(tool)),
    };
  }
  return taken.map(({ path }) => path);
}

const without = (object: JsonObject, fields: readonly string[]): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([field]) => !fields.includes(field)));

/** A copy of the call, which is read only once for all targets. */
function sharedCall(body: Body, model: string, client: ClientWire): Call {
  body.call ??= client.readCall(body.parsed(), model);
  return { ...body.call, model, extra: { ...body.call.extra } };
}

// ---------------------------------------------------------------- the headers

/** The headers of a JSON request, without keys and without the client's headers for other providers. */
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

/** Sets a header unless the client has set it. Lists of betas are joined. */
function addHeader(headers: SentHeaders, name: string, value: string): void {
  const own = headers.get(name);
  if (own === null) headers.set(name, value);
  else if (name.endsWith("-beta") && !own.includes(value)) headers.set(name, `${own},${value}`);
}
