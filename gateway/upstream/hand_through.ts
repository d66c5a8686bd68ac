/** Edits a body for a provider that speaks the client's own wire. */
import type { Fit, Spoken, SpokenChat } from "../../providers/types.ts";
import { append } from "../../wires/shared/json.ts";
import { type Edit, editMembers, replaceText } from "../../wires/shared/json_text.ts";
import type { Call, ForeignRules, JsonObject, Receiver } from "../../wires/types.ts";
import type { Target } from "../targets/find_target.ts";
import type { Body } from "./body.ts";

/** A request, written for a provider. */
export interface Rewritten {
  path: string;
  write: () => BodyInit;
  headers?: Record<string, string>;
  dropped: string[];
  call?: Call;
  toolNames?: ReadonlyMap<string, string>;
  bound?: () => string;
}

/** The columns of a row's wire. Only chat completions have all of them. */
export type Rules = Omit<Spoken, "wire" | "drop"> & Partial<SpokenChat>;

/**
 * Edits a body in the provider's own wire as its row asks, and leaves the rest byte for byte. The body is the client's or was
 * written by the gateway.
 *
 * @param foreign The client wire's rules for what the provider must not read. Absent for a body that the gateway wrote.
 */
export function handThrough(
  body: Body,
  target: Target,
  rules: Rules,
  only: boolean,
  foreign?: ForeignRules,
): Rewritten {
  const { drop, models, path } = rules;
  // A dropped field that asks for what happens without it is removed too, but not named. `null` means absent.
  const dropped: string[] = drop?.filter((field) => body.has(field) && !isUsual(field, body.get)) ?? [];
  const fit = models?.(target.baseModel ?? target.model, body.get);
  if (fit?.fault) throw fit.fault;
  if (fit) append(dropped, fit.dropped);
  const messages = refit(body, rules, dropped, fit?.roles);
  const to = { isAuthor: rules.isAuthor === true, model: target.model };
  const own = foreign && ownOnly(body, foreign, to, dropped);
  const text = messages || fit || own ? undefined : onlyModel(body, target, rules);
  const write = text === undefined ? editAll(body, target, rules, only, messages, fit, own) : () => text;
  return { path, write, dropped };
}

/** What providers do that have not even a field for it: they keep no answers, and cut no conversation short. */
const USUAL: Readonly<Record<string, unknown>> = { store: false, truncation: "disabled" };

const isUsual = (field: string, get: Body["get"]) => field in USUAL && get(field) === USUAL[field];

/** The fields that must change because other providers answered earlier turns; `undefined` if there are none. */
function ownOnly(
  body: Body,
  foreign: ForeignRules,
  to: Receiver,
  dropped: string[],
): Map<string, unknown> | undefined {
  const { source, mentions, get } = body;
  const holds = (mark: string | undefined) =>
    mark !== undefined && (source?.includes(mark) ?? mentions(`${mark}*`));
  const isForeign = holds(foreign.proofs) || !to.isAuthor && holds(foreign.authors);
  if (!isForeign && !foreign.isDue?.(body, to)) return undefined;
  const fields = foreign.without(get, to, dropped);
  return fields.size > 0 ? fields : undefined;
}

/** The body with only the model name replaced; `undefined` if more must change or the place is ambiguous. */
function onlyModel(
  { source, parsed }: Body,
  { model }: Target,
  { drop, rename, form }: Rules,
): string | undefined {
  if (source === undefined || form) return undefined;
  const body = parsed();
  const written = (field: string) => Object.hasOwn(body, field);
  if (drop?.some(written) || (rename && Object.keys(rename).some(written))) return undefined;
  if (typeof body.model !== "string" || written("models")) return undefined;
  return replaceText(source, "model", body.model, model);
}

/** Returns a function that writes the body with all changes that the row asks for. */
function editAll(
  body: Body,
  { provider, model }: Target,
  { drop, rename, form }: Rules,
  only: boolean,
  messages: unknown[] | undefined,
  fit: Fit | undefined,
  own: Map<string, unknown> | undefined,
): () => BodyInit {
  const members = body.members();
  const value = JSON.stringify(model);
  const edits = new Map<string, Edit>([["model", { value }]]);
  const written = (field: string) => members ? members.has(field) : Object.hasOwn(body.parsed(), field);
  // A request without `model` names its models in the list `models` or in a header.
  if (!written("model")) edits.set("models", { key: "model", value });
  else if (!provider.ownModels) edits.set("models", "remove");
  for (const field of drop ?? []) edits.set(field, "remove");
  for (const [from, to] of Object.entries(rename ?? {})) {
    const sent = body.has(from);
    edits.set(from, sent ? { key: to } : "remove");
    if (sent) edits.set(to, "remove");
  }
  for (const [field, edit] of fit?.edits ?? []) edits.set(field, edit);
  for (const [field, value] of own ?? []) edits.set(field, { value: JSON.stringify(value) });
  if (messages && members) edits.set("messages", { value: JSON.stringify(messages) });
  if (form) { for (const member of ["models", ...form.without]) edits.set(member, "remove"); }
  return () => {
    if (members && (form || written("model") || written("models"))) {
      return editMembers(only ? body.text : body.text.slice(), members, edits);
    }
    const parsed = messages && !members ? { ...body.parsed(), messages } : body.parsed();
    return JSON.stringify({ ...(!form && { model }), ...editObject(parsed, edits) });
  };
}

/** The messages in the form that the provider takes; `undefined` if they need no change. */
function refit(
  body: Body,
  { wire, messages, toolId, takes }: Rules,
  dropped: string[],
  roles = messages?.roles,
): unknown[] | undefined {
  const proofs = takes?.thoughts === "reasoning_details";
  if (!messages && !toolId && !roles && !proofs) return undefined;
  // For ids and roles alone, a long body is parsed only if it has any.
  const worth = messages?.members || messages?.texts || body.isParsed() ||
    (toolId && wire!.ruleWords.some(body.mentions)) ||
    (roles && Object.keys(roles).some(body.mentions)) || (proofs && body.mentions("reasoning_details"));
  if (!worth) return undefined;
  return wire!.fitMessages(body.get("messages"), { ...messages, roles, toolId, proofs }, dropped);
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
