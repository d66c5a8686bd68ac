/** From a client's body to a provider's answer. */
import { type Edit, editMembers, findMembers } from "../wires/json_text.ts";
import { checkCall, readCall } from "../wires/openai_chat_call.ts";
import { GatewayError } from "../wires/errors.ts";
import type { Call, JsonObject, ProviderWire } from "../wires/types.ts";
import { nearestNames } from "../providers/table.ts";
import type { Provider } from "../providers/types.ts";
import type { Config } from "./config.ts";
import { requestHeaders } from "./headers.ts";

/** One provider and model that may serve a call. */
export interface Target {
  provider: Provider;
  /** The provider's name for the model. */
  model: string;
}

/** A request ready to be sent to its target. */
export interface Outgoing {
  target: Target;
  url: string;
  headers: Headers;
  body: BodyInit;
  /** Client fields that the target cannot express. */
  dropped: string[];
  /** Absent when the bodies are handed through. */
  call?: Call;
  stream: boolean;
}

/**
 * Splits `{provider}/{model}`. A bare `@cf/…` is a Workers AI model.
 *
 * @throws GatewayError `invalid_model` or `unknown_provider`.
 */
export function findTarget(model: unknown, providers: ReadonlyMap<string, Provider>): Target {
  if (typeof model !== "string" || model === "") {
    throw new GatewayError("invalid_model", `Cannot route the request: model must be "{provider}/{model}"`, {
      param: "model",
    });
  }
  const slash = model.indexOf("/");
  const bare = model.startsWith("@cf/");
  const name = bare ? "workers-ai" : model.slice(0, Math.max(0, slash));
  const rest = bare ? model : model.slice(slash + 1);
  if (slash < 0 || name === "" || rest === "") {
    throw new GatewayError(
      "invalid_model",
      `Cannot route model ${
        JSON.stringify(model)
      }: write it as "{provider}/{model}", e.g. "openai/gpt-5-mini"`,
      { param: "model" },
    );
  }
  const provider = providers.get(name);
  if (provider) return { provider, model: rest };
  const near = nearestNames(name, providers);
  throw new GatewayError(
    "unknown_provider",
    `Cannot route model ${JSON.stringify(model)}: there is no provider ${JSON.stringify(name)}` +
      (near.length > 0 ? `; did you mean ${near.map((one) => JSON.stringify(one)).join(" or ")}?` : ""),
    { param: "model" },
  );
}

/**
 * Prepares a chat request for the target that its model names.
 *
 * @param text The client's body; it may be overwritten.
 * @param account Of the client's URL; some providers want it in theirs.
 * @throws GatewayError for a body that is not a chat request, or one that `strict` refuses.
 */
export function prepare(
  request: Request,
  text: Uint8Array<ArrayBuffer>,
  account: string | undefined,
  config: Config,
): Outgoing {
  const body = readBody(text);
  const target = findTarget(body.get("model"), config.providers);
  body.check();
  const { provider } = target;
  const rewritten = provider.wire.same
    ? handThrough(body, target)
    : rewrite(body.parsed(), target, provider.wire);
  const { path, dropped } = rewritten;
  if (dropped.length > 0 && (config.strict || request.headers.get("sluice-strict") === "true")) {
    throw new GatewayError(
      "dropped_fields",
      `Cannot send the request to ${provider.name}: it has no way to express ${dropped.join(", ")}`,
      { param: dropped[0] },
    );
  }
  return {
    target,
    url: joinUrl(provider, account, path),
    headers: writeHeaders(request.headers, provider, rewritten.headers),
    body: rewritten.body,
    dropped,
    call: rewritten.call,
    stream: body.get("stream") === true,
  };
}

// ---------------------------------------------------------------- the body

/** A client's body, parsed only as far as it must be. */
interface Body {
  text: Uint8Array<ArrayBuffer>;
  /** Where its members stand; `undefined` when only a full parse can tell. */
  members: ReturnType<typeof findMembers>;
  get(field: string): unknown;
  has(field: string): boolean;
  parsed(): JsonObject;
  /** @throws GatewayError for a conversation that is none. */
  check(): void;
}

/**
 * Bodies up to this size are parsed and checked also when they are handed through; a longer one is the provider's to
 * check, since parsing it would cost more than sending it.
 */
const CHECKED_BYTES = 256 * 1024;

function readBody(text: Uint8Array<ArrayBuffer>): Body {
  if (text.length === 0) {
    throw new GatewayError("invalid_request", "Cannot read the request: its body is empty");
  }
  const members = findMembers(text);
  let object = members && text.length > CHECKED_BYTES ? undefined : parse(text);
  const parsed = () => object ??= parse(text);
  return {
    text,
    members,
    get(field) {
      if (object) return Object.hasOwn(object, field) ? object[field] : undefined;
      const member = members!.get(field);
      return member && parseJson(text.subarray(member.valueStart, member.valueEnd));
    },
    has: (field) => members ? members.has(field) : Object.hasOwn(parsed(), field),
    parsed,
    check: () => object && checkCall(object),
  };
}

function parse(text: Uint8Array): JsonObject {
  const body = parseJson(text);
  if (typeof body === "object" && body !== null && !Array.isArray(body)) return body as JsonObject;
  throw new GatewayError("invalid_request", "Cannot read the request: its body is not a JSON object");
}

function parseJson(text: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(text));
  } catch (cause) {
    // The parser's own message may quote the prompt.
    throw new GatewayError("invalid_request", "Cannot read the request: its body is not valid JSON", {
      cause,
    });
  }
}

// ---------------------------------------------------------------- the two ways to a provider

interface Rewritten {
  path: string;
  body: BodyInit;
  headers?: Record<string, string>;
  dropped: string[];
  call?: Call;
}

/** For the client's own wire: changes what the row asks for, and leaves the rest byte for byte. */
function handThrough(body: Body, { provider, model }: Target): Rewritten {
  const edits = new Map<string, Edit>([["model", { value: JSON.stringify(model) }]]);
  const dropped = provider.drop?.filter(body.has) ?? [];
  for (const field of dropped) edits.set(field, "remove");
  for (const [from, to] of Object.entries(provider.rename ?? {})) {
    if (!body.has(from)) continue;
    if (body.has(to)) edits.set(to, "remove");
    edits.set(from, { key: to });
  }
  return {
    path: provider.chatPath ?? "/chat/completions",
    body: body.members
      ? editMembers(body.text, body.members, edits)
      : JSON.stringify(editObject(body.parsed(), edits)),
    dropped,
  };
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
function rewrite(body: JsonObject, { model }: Target, wire: ProviderWire): Rewritten {
  checkCall(body);
  const call = readCall(body, model);
  const written = wire.writeCall(call);
  return {
    path: written.path,
    headers: written.headers,
    body: JSON.stringify(written.body),
    dropped: [...call.dropped, ...written.dropped],
    call,
  };
}

// ---------------------------------------------------------------- the address and the key

function writeHeaders(from: Headers, provider: Provider, wire: Record<string, string> = {}): Headers {
  const headers = requestHeaders(from);
  headers.set("content-type", "application/json");
  for (const [name, value] of Object.entries({ ...provider.headers, ...wire })) {
    const own = headers.get(name);
    // A client's list of betas and ours are both wanted; of anything else its own wins.
    if (own === null) headers.set(name, value);
    else if (name.endsWith("-beta") && !own.includes(value)) headers.set(name, `${own},${value}`);
  }
  const key = bearerToken(from);
  if (key) headers.set(provider.auth.header, provider.auth.prefix + key);
  return headers;
}

/** The key of `Authorization: Bearer KEY`; none for an empty one. */
function bearerToken(headers: Headers): string | undefined {
  const value = headers.get("authorization");
  return value?.match(/^\s*bearer\s+(\S+)\s*$/i)?.[1];
}

/** Where a path of the provider is, with the client's account where the provider wants one. */
function joinUrl(provider: Provider, account: string | undefined, path: string): string {
  let base = provider.baseUrl;
  if (base.includes("{account}")) {
    if (account === undefined) {
      throw new GatewayError(
        "invalid_request",
        `Cannot reach ${provider.name}: it needs an account id, so call ` +
          `/v1/{account_id}/{gateway_id}/compat/chat/completions`,
      );
    }
    base = base.replace("{account}", encodeURIComponent(account));
  }
  // A base URL set by hand may hold the version that the path begins with.
  return base.endsWith("/v1") && path.startsWith("/v1/") ? base + path.slice(3) : base + path;
}
