/**
 * OpenAI's Responses, the provider's half: writes messages as input items.
 *
 * Each message stays in its place, also instructions: a request begins with the request before it, so that caches stay
 * valid.
 */
import { markPath, writeBreakpoint } from "../shared/cache_marks.ts";
import { contentPath, mediaUrl, nothingSaid } from "../shared/parts.ts";
import type { Call, JsonObject, Message, MessageOf, Part } from "../types.ts";
import { callId, type Notes } from "./notes.ts";
import { writeAnswered } from "./write_answered.ts";

/**
 * Writes the conversation of a call.
 *
 * @throws GatewayError `invalid_request` if nothing of the user's last message can be sent.
 */
export function writeInput({ messages }: Call, about: Omit<Notes, "thoughts">): JsonObject[] {
  const notes: Notes = { ...about, thoughts: new Set() };
  const custom = new Set<string>();
  const input: JsonObject[] = [];
  for (const message of messages) {
    if (message.name !== undefined) notes.dropped.push(`${message.path}.name`);
    switch (message.role) {
      case "assistant":
        nameMarks(message, notes.dropped);
        for (const call of message.calls) if (call.custom) custom.add(call.id);
        for (const item of writeAnswered(message, notes)) input.push(item);
        break;
      case "tool":
        input.push(writeResult(message, custom.has(message.callId), notes));
        break;
      default: {
        const { role, parts } = message;
        const content = writeParts(message, notes);
        if (content === "" && parts.some(({ type }) => type !== "text") && message === messages.at(-1)) {
          throw nothingSaid(message, "OpenAI");
        }
        input.push({ type: "message", role: notes.model?.roles?.[role] ?? role, content });
      }
    }
  }
  return input;
}

/** Names the marks of a message whose content has no place for them. */
function nameMarks(message: Message, dropped: string[]): void {
  if (message.cache !== undefined) dropped.push(markPath(message));
  for (const part of message.parts) if (part.cache !== undefined) dropped.push(markPath(part));
}

function writeResult(message: MessageOf<"tool">, isCustom: boolean, notes: Notes): JsonObject {
  const { callId: id, error } = message;
  const said = writeParts(message, notes);
  const output = !error
    ? said
    : typeof said === "string"
    ? ERROR + said
    : [{ type: "input_text", text: ERROR }, ...said];
  return { type: isCustom ? "custom_tool_call_output" : "function_call_output", call_id: callId(id), output };
}

/** Stands before the result of a failed tool call: the API has no member for a failure. */
const ERROR = "Error: ";

/** Writes the content of messages and results, except the assistant's. A single text stays a string. */
function writeParts(message: Message, { model, dropped }: Notes): string | JsonObject[] {
  const out: JsonObject[] = [];
  let isMarked = false;
  const mark = (written: JsonObject | undefined, marked: Message | Part) => {
    if (!written || !model?.breakpoints) return void dropped.push(markPath(marked));
    written.prompt_cache_breakpoint = writeBreakpoint(marked, dropped);
    isMarked = true;
  };
  for (const part of message.parts) {
    const written = writePart(part);
    if (written) out.push(written);
    else dropped.push(contentPath(part));
    if (part.cache !== undefined) mark(written, part);
  }
  if (message.cache !== undefined) mark(out.at(-1), message);
  if (out.length === 0) return "";
  return !isMarked && out.length === 1 && out[0].type === "input_text" ? out[0].text as string : out;
}

/** Writes one part; `undefined` for a part that the API cannot express. */
function writePart(part: Part): JsonObject | undefined {
  switch (part.type) {
    case "text":
    case "refusal":
      return { type: "input_text", text: part.text };
    case "native":
      return { ...part.value };
    case "image": {
      const { media, detail = "auto" } = part;
      return "id" in media
        ? { type: "input_image", detail, file_id: media.id }
        : { type: "input_image", detail, image_url: mediaUrl(media) };
    }
    case "file": {
      const { media, name } = part;
      if ("id" in media) return { type: "input_file", file_id: media.id };
      if ("url" in media) return { type: "input_file", file_url: media.url };
      return { type: "input_file", filename: name ?? fileName(media.mime), file_data: mediaUrl(media) };
    }
  }
}

/** A name for a file without one, because the API requires a name: `file.pdf`. */
const fileName = (mime: string): string => `file.${/^\w+\/([\w-]+)$/.exec(mime)?.[1] ?? "bin"}`;
