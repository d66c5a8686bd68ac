/**
 * OpenAI's Responses, the client's half: reads the items of `input` into neutral messages.
 *
 * Checked against the 33 kinds of item in `openai` 7.59 types, 2026-11, and against what Codex 0.171 and
 * `@openai/agents` 0.20 send.
 *
 * @see https://platform.openai.com/docs/api-reference/responses/create
 */
import { GatewayError } from "../errors.ts";
import { isTooDeep, MOST_LEVELS } from "../shared/depth.ts";
import { unseal } from "../shared/envelope.ts";
import { fault, need } from "../shared/faults.ts";
import { isObject, list, object, objects, text } from "../shared/json.ts";
import type { Citation, JsonObject, Message, Part, Thought } from "../types.ts";
import { readMcpCall } from "./mcp.ts";
import { readContent } from "./read_content.ts";
import { type toolList, toolNames } from "./read_tools.ts";
import { gatherTurns, type Turns } from "./turns.ts";

/** The settings that `configuration_update` items change, and the paths of the changes. */
export interface Updates {
  effort?: { value: string; path: string };
  format?: { value: JsonObject; path: string };
}

export interface ReadInput {
  messages: Message[];
  updates: Updates;
  /** The input has a `compaction_trigger`: the client wants a summary. */
  triggered: boolean;
}

/** What the readers of items fill. */
interface Notes {
  turns: Turns;
  tools: ReturnType<typeof toolList>;
  updates: Updates;
  dropped: string[];
}

type ItemReader = (item: JsonObject, path: string, notes: Notes) => void;

/**
 * Reads an input.
 *
 * @param tools Takes the tools that items add.
 * @throws GatewayError `invalid_request`; `previous_response_not_found` for items that refer to something stored.
 */
export function readInput(
  input: unknown,
  instructions: string | undefined,
  tools: Notes["tools"],
  dropped: string[],
): ReadInput {
  const turns = gatherTurns();
  const notes: Notes = { turns, tools, updates: {}, dropped };
  if (instructions !== undefined) {
    turns.say("system", [{ type: "text", text: instructions, path: "instructions" }], "instructions");
  }
  let triggered = false;
  if (typeof input === "string") turns.say("user", [{ type: "text", text: input, path: "input" }], "input");
  for (const [at, item] of list(input).entries()) {
    const path = `input[${at}]`;
    if (!isObject(item)) throw fault(path, "object", item);
    if (item.type === "compaction_trigger") triggered = true;
    else readItem(item, path, notes);
  }
  return { messages: turns.messages(), updates: notes.updates, triggered };
}

function readItem(item: JsonObject, path: string, notes: Notes): void {
  // The short form of a message has no type.
  const type = item.type ?? (item.role === undefined ? "item_reference" : "message");
  const read = Object.hasOwn(ITEMS, `${type}`) ? ITEMS[type as keyof typeof ITEMS] : undefined;
  if (read) read(item, path, notes);
  else notes.dropped.push(path);
}

const drop: ItemReader = (_, path, { dropped }) => void dropped.push(path);

/** The readers by the type of item. An item of any other type is named as dropped. */
const ITEMS = {
  additional_tools: ({ tools: added }, path, notes) => addTools(added, path, notes),
  apply_patch_call: ownCall("apply_patch", ({ operation }) => ({ operation })),
  apply_patch_call_output(item, path, { turns }) {
    const said = text(item.output) ?? (item.status === "failed" ? "The patch was not applied" : "Done");
    turns.result(callIdOf(item, path), [textPart(said, path)], path, item.status === "failed" || undefined);
  },
  code_interpreter_call: unlessSealed(
    ranItself("code_interpreter", ({ code }) => ({ code }), ({ outputs }) => outputs),
  ),
  compaction: readCompaction,
  compaction_summary: readCompaction,
  computer_call: ownCall("computer", ({ action, actions }) => ({ action, actions })),
  computer_call_output(item, path, { turns, dropped }) {
    const parts = readContent(item.output == null ? [] : [item.output], `${path}.output`, dropped);
    turns.result(callIdOf(item, path), parts, path);
  },
  configuration_update: readUpdate,
  custom_tool_call(item, path, { turns, tools }) {
    const name = tools.nameOf(need(item.name, `${path}.name`), item.namespace);
    turns.call({
      id: callIdOf(item, path),
      name,
      arguments: need(item.input, `${path}.input`),
      custom: true,
      path,
    });
  },
  custom_tool_call_output: readOutput,
  file_search_call: ranItself("file_search", ({ queries }) => ({ queries }), ({ results }) => results),
  function_call(item, path, { turns, tools }) {
    const name = tools.nameOf(need(item.name, `${path}.name`), item.namespace);
    turns.call({ id: callIdOf(item, path), name, arguments: readArguments(item.arguments, path), path });
  },
  function_call_output: readOutput,
  image_generation_call({ result, output_format }, path, { turns, dropped }) {
    if (typeof result !== "string") return void dropped.push(path);
    const media = { mime: `image/${text(output_format) ?? "png"}`, data: result };
    turns.answer([{ type: "image", media, mediaPath: path, path }], path, []);
  },
  item_reference(_, path) {
    throw notStored(
      path,
      `${path} refers to an item of an earlier response`,
      "send the items themselves, as responses give them (AI SDK: store: false in providerOptions.openai)",
    );
  },
  local_shell_call: ownCall("local_shell", ({ action }) => {
    const { type: _, ...rest } = object(action) ?? {};
    return rest;
  }),
  local_shell_call_output: readOutput,
  mcp_approval_request: drop,
  mcp_approval_response: drop,
  mcp_call(item, path, { turns }) {
    need(item.name, `${path}.name`);
    readArguments(item.arguments, path);
    turns.serve(readMcpCall(item), path);
  },
  mcp_list_tools: drop,
  message: readMessage,
  program: drop,
  program_output: drop,
  reasoning: readReasoning,
  shell_call: ownCall("shell", ({ action }) => object(action) ?? {}),
  shell_call_output(item, path, { turns }) {
    const { output } = item;
    const said = typeof output === "string" ? output : JSON.stringify(output ?? []);
    turns.result(callIdOf(item, path), [textPart(said, path)], path);
  },
  tool_search_call(item, path, notes) {
    // OpenAI's own search adds nothing to what the list of tools says.
    if (item.execution === "server" || item.call_id == null) return;
    ownCall("tool_search", ({ arguments: wanted }) => object(wanted) ?? {})(item, path, notes);
  },
  tool_search_output(item, path, notes) {
    const { turns, tools } = notes;
    addTools(item.tools, path, notes);
    if (item.execution === "server" || item.call_id == null) return;
    const names = toolNames(item.tools, tools.nameOf);
    const said = names.length > 0
      ? `Found these tools, which can be called now: ${names.join(", ")}`
      : "Found none";
    turns.result(callIdOf(item, path), [textPart(said, path)], path);
  },
  web_search_call: unlessSealed(drop),
} satisfies Record<string, ItemReader>;

function addTools(added: unknown, path: string, { tools, turns }: Notes): void {
  const before = tools.tools.length;
  tools.add(added, `${path}.tools`);
  if (tools.tools.length > before) turns.join();
}

const textPart = (said: string, path: string): Part => ({ type: "text", text: said, path });

/** The id that links a result to its tool call. Results of `local_shell` have it as `id`. */
function callIdOf({ call_id: callId, id }: JsonObject, path: string): string {
  return text(callId) ?? need(id, `${path}.call_id`);
}

/**
 * Reads the arguments of a tool call as text.
 *
 * @throws GatewayError `invalid_request` for arguments that are nested too deeply: some wires parse them and write them
 * again.
 */
function readArguments(value: unknown, path: string): string {
  const written = typeof value === "string" ? value : value == null ? "" : JSON.stringify(value);
  if (!isTooDeep(written)) return written;
  const param = `${path}.arguments`;
  const message =
    `Cannot read the request: ${param} is nested too deeply; at most ${MOST_LEVELS} levels are read`;
  throw new GatewayError("invalid_request", message, { param });
}

/**
 * Makes a reader for calls of a tool that the client runs and that only OpenAI defines. They become calls of a
 * function.
 */
function ownCall(name: string, write: (item: JsonObject) => JsonObject): ItemReader {
  return (item, path, { turns }) =>
    turns.call({ id: callIdOf(item, path), name, arguments: JSON.stringify(write(item)), path });
}

/**
 * Makes a reader for calls that OpenAI ran itself. A call with its result becomes a call of a function; one without a
 * result is left out and named.
 */
function ranItself(
  name: string,
  asked: (item: JsonObject) => JsonObject,
  result: (item: JsonObject) => unknown,
): ItemReader {
  return (item, path, { turns, dropped }) => {
    const found = result(item);
    if (found == null) return void dropped.push(path);
    const id = text(item.id) ?? path;
    turns.call({ id, name, arguments: JSON.stringify(asked(item)), path });
    turns.result(id, [textPart(JSON.stringify(found), path)], path);
  };
}

/**
 * What a provider ran, of an answer that was translated: its own block, which its maker wants back, is in the reasoning before
 * it. Another maker gets neither.
 */
function unlessSealed(read: ItemReader): ItemReader {
  return (item, path, notes) => {
    const isOpenAIs = typeof item.container_id === "string" && item.container_id !== "";
    if (isOpenAIs || !notes.turns.endsSealed()) read(item, path, notes);
  };
}

function readMessage(item: JsonObject, path: string, { turns, dropped }: Notes): void {
  const { role } = item;
  switch (role) {
    case "assistant": {
      const cited: Citation[] = [];
      return turns.answer(readContent(item.content, `${path}.content`, dropped, cited), path, cited);
    }
    case "system":
    case "developer":
    case "user":
      return turns.say(role, readContent(item.content, `${path}.content`, dropped), path);
    default:
      throw fault(`${path}.role`, '"user", "assistant", "system" or "developer"', role);
  }
}

function readOutput(item: JsonObject, path: string, { turns, dropped }: Notes): void {
  const { output } = item;
  const content = isObject(output) ? JSON.stringify(output) : output;
  turns.result(callIdOf(item, path), readContent(content, `${path}.output`, dropped), path);
}

/** The format of sealed reasoning that names none: it is OpenAI's. */
const UNNAMED = "openai-responses-v1";

function readReasoning(item: JsonObject, path: string, { turns, dropped }: Notes): void {
  const told = objects(list(item.content).length > 0 ? item.content : item.summary)
    .flatMap((part) => typeof part.text === "string" ? [part.text] : []).join("\n\n");
  const sealed = text(item.encrypted_content);
  const said: Thought = told === "" ? {} : { text: told };
  if (sealed === undefined) {
    // An id alone refers to something that only its provider has.
    if (told === "") dropped.push(path);
    else turns.think(said, path);
    return;
  }
  const opened = unseal(sealed);
  if (opened?.ofAnswer) return turns.sign(opened.thought.signature);
  if (opened) return turns.think({ ...said, ...opened.thought }, path);
  const id = text(item.id);
  turns.think({ ...said, redacted: sealed, format: UNNAMED, ...(id !== undefined && { id }) }, path);
}

/** The format name of a summary that replaces a conversation. */
export const SUMMARY = "sluice-summary";

/** Writes a summary as text of the user. */
export const summaryText = (summary: string): string =>
  `This is a summary of the conversation so far:\n\n${summary}`;

function readCompaction(item: JsonObject, path: string, { turns }: Notes): void {
  const summary = unseal(text(item.encrypted_content) ?? "")?.thought;
  if (summary?.format === SUMMARY && summary.redacted !== undefined) {
    return turns.say("user", [textPart(summaryText(summary.redacted), path)], path);
  }
  throw notStored(
    path,
    `${path} is a compaction that another provider sealed`,
    "send the conversation itself, or go on with that provider",
  );
}

function readUpdate(item: JsonObject, path: string, { updates, dropped }: Notes): void {
  const effort = object(item.reasoning)?.effort;
  const format = object(object(item.text)?.format);
  if (typeof effort === "string") updates.effort = { value: effort, path: `${path}.reasoning.effort` };
  if (format) updates.format = { value: format, path: `${path}.text.format` };
  for (const member in item) {
    if (!["id", "reasoning", "text", "type"].includes(member)) dropped.push(`${path}.${member}`);
  }
}

/**
 * The error for a reference to something that only a store of earlier responses could resolve.
 *
 * @param state Says what cannot be resolved.
 * @param cure Says what to send instead.
 */
export function notStored(param: string, state: string, cure: string): GatewayError {
  return new GatewayError(
    "previous_response_not_found",
    `Cannot read the request: ${state}, and nothing of it is stored here; ${cure}`,
    { param },
  );
}
