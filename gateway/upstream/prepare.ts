/** From a client's body to a provider's request. */
import type { Provider } from "../../providers/types.ts";
import { wireUrl } from "../../providers/urls.ts";
import { GatewayError } from "../../wires/errors.ts";
import { append } from "../../wires/shared/json.ts";
import { type Edit, editMembers, replaceText } from "../../wires/shared/json_text.ts";
import { checkCall, type Fit, fitMessages, readCall, TOOL_MEMBERS } from "../../wires/openai_chat/mod.ts";
import type { Call, JsonObject, ProviderWire } from "../../wires/types.ts";
import type { Body } from "./body.ts";
import type { Exchange } from "../exchange.ts";
import { headerList, readSwitch, requestHeaders, type SentHeaders, setFixed } from "./headers.ts";
import type { Target } from "../target.ts";

/** A request ready to be sent to its target. */
export interface Outgoing {
  target: Target;
  url: string;
  headers: SentHeaders;
  /** The body, for one try. */
  body: () => BodyInit;
  /** Client fields that the target cannot express. */
  dropped: string[];
  /** Absent when the bodies are handed through. */
  call?: Call;
  stream: boolean;
  /** The stored key that the current try was asked with, if it was: no answer repeats it. */
  storedKey?: string;
}

/**
 * Prepares a chat request for a target.
 *
 * @param only The body is for no other target: it is used up, as same-wire bodies are changed in place, and written at once.
 * If it is for others too, it is written when it is first sent.
 * @throws GatewayError for a body that is not a chat request, or one that `strict` refuses.
 */
export function prepare(
  body: Body,
  target: Target,
  { headers, account, config }: Exchange,
  only = true,
): Outgoing {
  const { provider } = target;
  // A long body is the provider's to check when it goes to it as it is.
  if (!body.isChecked && (!provider.wire.same || body.isParsed())) {
    checkCall(body.parsed());
    body.isChecked = true;
  }
  const { wire } = provider;
  const rewritten = inDepth(() =>
    wire.same ? handThrough(body, target, only) : rewrite(body, target, wire, only)
  );
  const { path, dropped } = rewritten;
  const strict = readSwitch(headers, "sluice-strict") || config.strict;
  if (dropped.length > 0 && strict) {
    throw new GatewayError(
      "dropped_fields",
      `Cannot send the request to ${provider.name}: it has no way to express ${headerList(dropped)}`,
      { param: dropped[0] },
    );
  }
  // Read before the body is written: what is changed in place stands elsewhere then.
  const stream = body.get("stream") === true;
  const write = () => inDepth(rewritten.write);
  let written = only ? write() : undefined;
  return {
    target,
    url: wireUrl(provider, path, { account }),
    headers: writeHeaders(
      requestHeaders(headers, config.keyHeaders, config.tokens.holds),
      provider,
      rewritten.headers,
    ),
    body: () => written ??= write(),
    dropped,
    call: rewritten.call,
    stream,
  };
}

// ---------------------------------------------------------------- the two ways to a provider

interface Rewritten {
  path: string;
  write: () => BodyInit;
  headers?: Record<string, string>;
  dropped: string[];
  call?: Call;
}

/** JSON is read to any depth, but walked and written only as deep as the stack goes. */
function inDepth<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new GatewayError("invalid_request", "Cannot read the request: it is nested too deeply", { cause });
  }
}

/** For the client's own wire: changes what the row asks for, and leaves the rest byte for byte. */
function handThrough(body: Body, target: Target, only: boolean): Rewritten {
  const { provider } = target;
  // `null` means absent: it is removed all the same, but nothing is lost with it.
  const dropped: string[] = provider.drop?.filter(body.has) ?? [];
  const fit = provider.models?.(target.model, body.get);
  if (fit) append(dropped, fit.dropped);
  const messages = refit(body, provider, dropped, fit?.roles);
  const text = messages || fit ? undefined : onlyModel(body, target);
  const write = text === undefined ? editAll(body, target, only, messages, fit) : () => text;
  return { path: provider.chatPath ?? "/chat/completions", write, dropped };
}

/** The text with no more changed than the model's name; `undefined` where more has to be, or it is not plain where. */
function onlyModel({ source, parsed }: Body, { provider, model }: Target): string | undefined {
  if (source === undefined) return undefined;
  const body = parsed();
  const written = (field: string) => Object.hasOwn(body, field);
  const { drop, rename } = provider;
  if (drop?.some(written) || (rename && Object.keys(rename).some(written))) return undefined;
  if (typeof body.model !== "string" || written("models")) return undefined;
  return replaceText(source, "model", body.model, model);
}

/** Writes the body with all changes that the row asks for. */
function editAll(
  body: Body,
  { provider, model }: Target,
  only: boolean,
  messages: unknown[] | undefined,
  fit: Fit | undefined,
): () => BodyInit {
  const members = body.members();
  const value = JSON.stringify(model);
  const edits = new Map<string, Edit>([["model", { value }]]);
  const written = (field: string) => members ? members.has(field) : Object.hasOwn(body.parsed(), field);
  // A request may name its models in a list, or in a header, and none in `model`.
  if (!written("model")) edits.set("models", { key: "model", value });
  else if (!provider.ownModels) edits.set("models", "remove");
  for (const field of provider.drop ?? []) edits.set(field, "remove");
  for (const [from, to] of Object.entries(provider.rename ?? {})) {
    const sent = body.has(from);
    edits.set(from, sent ? { key: to } : "remove");
    if (sent) edits.set(to, "remove");
  }
  for (const [field, edit] of fit?.edits ?? []) edits.set(field, edit);
  if (messages) edits.set("messages", { value: JSON.stringify(messages) });
  return () => {
    // Thrown here and not before: with others to try, this target's turn may never come.
    if (fit?.fault) throw fit.fault;
    return members && (written("model") || written("models"))
      ? editMembers(only ? body.text : body.text.slice(), members, edits)
      : JSON.stringify({ model, ...editObject(body.parsed(), edits) });
  };
}

/** The messages as the provider takes them; `undefined` when it takes them as they are. */
function refit(
  body: Body,
  { messages, toolId }: Provider,
  dropped: string[],
  roles = messages?.roles,
): unknown[] | undefined {
  if (!messages && !toolId && !roles) return undefined;
  // For ids and roles a long body is looked into only if it has any.
  const worth = messages?.members || messages?.texts || body.isParsed() ||
    (toolId && TOOL_MEMBERS.some(body.mentions)) ||
    (roles && Object.keys(roles).some(body.mentions));
  return worth ? fitMessages(body.get("messages"), { ...messages, roles, toolId }, dropped) : undefined;
}

function editObject(object: JsonObject, edits: ReadonlyMap<string, Edit>): JsonObject {
  const out: [string, unknown][] = [];
  for (const [key, value] of Object.entries(object)) {
    const edit = edits.get(key);
    if (edit === "remove") continue;
    out.push([edit?.key ?? key, edit?.value === undefined ? value : JSON.parse(edit.value)]);
  }
  return Object.fromEntries(out);
}

/** For any other wire: reads the call and writes it anew. */
function rewrite(body: Body, { model, provider }: Target, wire: ProviderWire, only: boolean): Rewritten {
  const left = provider.drop?.filter(body.has) ?? [];
  const asked = left.length > 0 ? without(body.parsed(), left) : body.parsed();
  const name = provider.modelId?.(model) ?? model;
  const call = only || left.length > 0 ? readCall(asked, name) : sharedCall(body, name);
  // The gateway's own field, and unknown to the provider.
  if (!provider.ownModels) delete call.extra.models;
  const { path, headers, body: written, dropped } = wire.writeCall(call);
  const write = () => JSON.stringify(written);
  return { path, headers, write, dropped: [...left, ...call.dropped, ...dropped], call };
}

const without = (object: JsonObject, fields: readonly string[]): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([field]) => !fields.includes(field)));

/** A call that is read once for all targets. */
function sharedCall(body: Body, model: string): Call {
  body.call ??= readCall(body.parsed(), model);
  return { ...body.call, model, extra: { ...body.call.extra } };
}

// ---------------------------------------------------------------- the headers

function writeHeaders(headers: SentHeaders, provider: Provider, wire?: Record<string, string>): SentHeaders {
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
