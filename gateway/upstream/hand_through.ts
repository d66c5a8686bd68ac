/** A body that goes to a provider on the client's own wire. */
import type { Fit, Spoken, SpokenChat } from "../../providers/types.ts";
import { append } from "../../wires/shared/json.ts";
import { type Edit, editMembers, replaceText } from "../../wires/shared/json_text.ts";
import type { Call, ForeignRules, JsonObject } from "../../wires/types.ts";
import type { Target } from "../targets/find_target.ts";
import type { Body } from "./body.ts";

/** A request as it is written for a provider. */
export interface Rewritten {
  path: string;
  write: () => BodyInit;
  headers?: Record<string, string>;
  dropped: string[];
  call?: Call;
  toolNames?: ReadonlyMap<string, string>;
}

/** What a row says of the wire; only chat completions have all of it. */
export type Rules = Omit<Spoken, "wire" | "drop"> & Partial<SpokenChat>;

/**
 * For a body of the provider's own wire, a client's or one that was written for it: changes what the row asks for, and leaves the rest
 * byte for byte.
 *
 * @param foreign The client's wire's rules for what is not the provider's to read. Absent for a body that was written for it.
 */
export function handThrough(
  body: Body,
  target: Target,
  rules: Rules,
  only: boolean,
  foreign?: ForeignRules,
): Rewritten {
  const { drop, models, path } = rules;
  // `null` means absent: it is removed all the same, but nothing is lost with it.
  const dropped: string[] = drop?.filter(body.has) ?? [];
  const fit = models?.(target.model, body.get);
  if (fit?.fault) throw fit.fault;
  if (fit) append(dropped, fit.dropped);
  const messages = refit(body, rules, dropped, fit?.roles);
  const own = foreign && ownOnly(body, foreign, rules.isAuthor === true, dropped);
  const text = messages || fit || own ? undefined : onlyModel(body, target, rules);
  const write = text === undefined ? editAll(body, target, rules, only, messages, fit, own) : () => text;
  return { path, write, dropped };
}

/** The fields that hold what is not the provider's to read, without it; `undefined` where none do, as mostly. */
function ownOnly(
  { source, mentions, get }: Body,
  foreign: ForeignRules,
  isAuthor: boolean,
  dropped: string[],
): Map<string, unknown> | undefined {
  const holds = (mark: string | undefined) =>
    mark !== undefined && (source?.includes(mark) ?? mentions(`${mark}*`));
  if (!holds(foreign.proofs) && (isAuthor || !holds(foreign.authors))) return undefined;
  const fields = foreign.without(get, isAuthor, dropped);
  return fields.size > 0 ? fields : undefined;
}

/** The text with no more changed than the model's name; `undefined` where more has to be, or it is not plain where. */
function onlyModel(
  { source, parsed }: Body,
  { model }: Target,
  { drop, rename }: Rules,
): string | undefined {
  if (source === undefined) return undefined;
  const body = parsed();
  const written = (field: string) => Object.hasOwn(body, field);
  if (drop?.some(written) || (rename && Object.keys(rename).some(written))) return undefined;
  if (typeof body.model !== "string" || written("models")) return undefined;
  return replaceText(source, "model", body.model, model);
}

/** Writes the body with all changes that the row asks for. */
function editAll(
  body: Body,
  { provider, model }: Target,
  { drop, rename }: Rules,
  only: boolean,
  messages: unknown[] | undefined,
  fit: Fit | undefined,
  own: Map<string, unknown> | undefined,
): () => BodyInit {
  const members = body.members();
  const value = JSON.stringify(model);
  const edits = new Map<string, Edit>([["model", { value }]]);
  const written = (field: string) => members ? members.has(field) : Object.hasOwn(body.parsed(), field);
  // A request may name its models in a list, or in a header, and none in `model`.
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
  return () => {
    if (members && (written("model") || written("models"))) {
      return editMembers(only ? body.text : body.text.slice(), members, edits);
    }
    const parsed = messages && !members ? { ...body.parsed(), messages } : body.parsed();
    return JSON.stringify({ model, ...editObject(parsed, edits) });
  };
}

/** The messages as the provider takes them; `undefined` when it takes them as they are. */
function refit(
  body: Body,
  { wire, messages, toolId }: Rules,
  dropped: string[],
  roles = messages?.roles,
): unknown[] | undefined {
  if (!messages && !toolId && !roles) return undefined;
  // For ids and roles a long body is looked into only if it has any.
  const worth = messages?.members || messages?.texts || body.isParsed() ||
    (toolId && wire!.ruleWords.some(body.mentions)) ||
    (roles && Object.keys(roles).some(body.mentions));
  return worth ? wire!.fitMessages(body.get("messages"), { ...messages, roles, toolId }, dropped) : undefined;
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
