/** OpenAI chat completions, the client's half: reads messages into neutral ones. */
import * as v from "npm:valibot@1.5.0";
import { readMark } from "../shared/cache_marks.ts";
import { append, isObject, objects } from "../shared/json.ts";
import { ADDRESS, readUrl } from "../shared/data_url.ts";
import { need } from "../shared/faults.ts";
import {
  googleSignature,
  readCitations,
  readThought,
  readThoughts,
  routedSignatures,
} from "./read_thoughts.ts";
import { callIds, unpackToolId } from "../shared/tool_id.ts";
import type { JsonObject, Message, Part, Thought, ToolCall } from "../types.ts";

const ROLES = ["system", "developer", "user", "assistant", "tool", "function"] as const;

const PARTS = v.array(v.looseObject({ type: v.string() }));
const CONTENT = v.union([v.string(), PARTS]);
const MESSAGE = v.variant("role", [
  v.looseObject({ role: v.picklist(["system", "developer", "user"]), content: CONTENT }),
  v.looseObject({ role: v.literal("tool"), content: CONTENT, tool_call_id: v.string() }),
  v.looseObject({ role: v.literal("function"), content: v.nullish(CONTENT), name: v.string() }),
  v.looseObject({
    role: v.literal("assistant"),
    content: v.nullish(CONTENT),
    tool_calls: v.nullish(v.array(v.looseObject({ id: v.string() }))),
    function_call: v.nullish(v.looseObject({ name: v.string() })),
  }),
]);
/** The schema of a conversation. The content of its parts is checked when the parts are read. */
export const MESSAGES = v.pipe(v.array(MESSAGE), v.nonEmpty());

/**
 * Whether a value is a conversation with texts only, which `MESSAGES` accepts too. Most are, and checking with the
 * schema takes 20 times as long.
 */
export function isPlainTalk(messages: unknown): boolean {
  if (!Array.isArray(messages) || messages.length === 0) return false;
  for (const message of messages) {
    if (typeof message?.content !== "string") return false;
    switch (message.role) {
      case "system":
      case "developer":
      case "user":
        continue;
      case "assistant":
        if (message.tool_calls === undefined && message.function_call === undefined) continue;
    }
    return false;
  }
  return true;
}

/**
 * Members of a message that are read, or that clients keep of an answer and that mean nothing to a model. `audio` is
 * missing on purpose: it refers to the sound of an earlier answer, which only its provider has.
 */
const MEMBERS: ReadonlySet<string> = new Set([
  "annotations",
  "cache_control",
  "content",
  "extra_content",
  "function_call",
  "images",
  "is_error",
  "name",
  "parsed",
  "provider_specific_fields",
  "reasoning",
  "reasoning_content",
  "reasoning_details",
  "refusal",
  "role",
  "thinking_blocks",
  "tool_call_id",
  "tool_calls",
]);

/** Reads messages that `MESSAGES` has accepted. */
export function readMessages(list: JsonObject[], dropped: string[]): Message[] {
  /** Ids for legacy function calls, which have none. A result answers the last call of its function. */
  const legacyIds = new Map<string, string>();
  const ids = callIds();
  return list.map((message, at): Message => {
    const path = `messages[${at}]`;
    for (const member in message) {
      if (!MEMBERS.has(member) && message[member] !== null) dropped.push(`${path}.${member}`);
    }
    const common = {
      path,
      name: typeof message.name === "string" && message.role !== "function" ? message.name : undefined,
      ...readMark(message, path),
    };
    switch (message.role as typeof ROLES[number]) {
      case "tool":
        return {
          ...common,
          role: "tool",
          callId: ids.result(unpackToolId(message.tool_call_id as string).id),
          error: message.is_error === true ? true : undefined,
          parts: readParts(message.content, path),
        };
      case "function":
        return {
          ...common,
          role: "tool",
          callId: ids.result(legacyIds.get(message.name as string) ?? `call_${message.name}`),
          parts: readParts(message.content, path),
        };
      case "assistant": {
        const calls = readToolCalls(message, path, dropped, ids.call);
        if (isObject(message.function_call)) {
          const { name, arguments: text } = message.function_call;
          const id = `call_${at}_${name}`;
          legacyIds.set(name as string, id);
          calls.push({
            id: ids.call(id),
            name: name as string,
            arguments: argumentText(text),
            path: `${path}.function_call`,
          });
        }
        return { ...common, role: "assistant", calls, ...readAnswered(message, path, dropped) };
      }
      default:
        return {
          ...common,
          role: message.role as "system" | "developer" | "user",
          parts: readParts(message.content, path),
        };
    }
  });
}

/** What an assistant said beside its calls. */
function readAnswered(message: JsonObject, path: string, dropped: string[]) {
  const earlier = readThoughts(message);
  const parts = readParts(message.content, path, earlier);
  const thoughts = earlier.map((thought) => ({ ...thought, path: `${path}.${fieldOf(thought, message)}` }));
  append(parts, readImages(message.images, path, dropped));
  if (typeof message.refusal === "string" && message.refusal) {
    parts.push({ type: "refusal", text: message.refusal, path: `${path}.refusal` });
  }
  const signature = googleSignature(message) ?? routedSignatures(message).get(undefined);
  const citations = readCitations(message.annotations);
  return { parts, thoughts, signature, citations };
}

/** The member in which clients keep a thought. */
const fieldOf = ({ signature, redacted }: Thought, { reasoning_details: details }: JsonObject) =>
  signature ?? redacted ?? objects(details)[0] ? "reasoning_details" : "reasoning_content";

/** @param ownId Makes the unique id of a tool call. */
function readToolCalls(
  message: JsonObject,
  path: string,
  dropped: string[],
  ownId: (id: string) => string,
): ToolCall[] {
  const signatures = routedSignatures(message);
  const calls: ToolCall[] = [];
  ((message.tool_calls ?? []) as JsonObject[]).forEach((call, at) => {
    const callPath = `${path}.tool_calls[${at}]`;
    const { id: given, signature: packed } = unpackToolId(call.id as string);
    const id = ownId(given);
    const signature = googleSignature(call) ?? packed ?? signatures.get(given);
    if (isObject(call.custom)) {
      const { name, input } = call.custom;
      calls.push({
        id,
        name: need(name, `${callPath}.custom.name`),
        arguments: argumentText(input),
        custom: true,
        signature,
        path: callPath,
      });
      return;
    }
    if (!isObject(call.function)) {
      dropped.push(callPath);
      return;
    }
    const { name, arguments: text } = call.function;
    calls.push({
      id,
      name: need(name, `${callPath}.function.name`),
      arguments: argumentText(text),
      signature,
      path: callPath,
    });
  });
  return calls;
}

function argumentText(value: unknown): string {
  return typeof value === "string"
    ? value
    : value === undefined || value === null
    ? ""
    : JSON.stringify(value);
}

// ---------------------------------------------------------------- parts

/** @param thoughts Takes the `thinking` parts that some clients leave in an assistant's content. */
function readParts(content: unknown, path: string, thoughts?: Thought[]): Part[] {
  if (content === null || content === undefined) return [];
  if (typeof content === "string") return [{ type: "text", text: content, path: `${path}.content` }];
  const parts: Part[] = [];
  (content as JsonObject[]).forEach((part, at) => {
    const partPath = `${path}.content[${at}]`;
    if (thoughts && (part.type === "thinking" || part.type === "redacted_thinking")) {
      const thought = readThought(part);
      if (thought) thoughts.push(thought);
      return;
    }
    const read = { ...readPart(part, partPath), path: partPath, ...readMark(part, partPath) };
    const signature = thoughts && googleSignature(part);
    parts.push((signature === undefined ? read : { ...read, signature }) as Part);
  });
  return parts;
}

/** Reads pictures that an assistant made, in the form in which Sluice and OpenRouter write them. */
function readImages(images: unknown, path: string, dropped: string[]): Part[] {
  const parts: Part[] = [];
  (Array.isArray(images) ? images : []).forEach((image, at) => {
    const partPath = `${path}.images[${at}]`;
    const { url } = isObject(image) && isObject(image.image_url) ? image.image_url : {} as JsonObject;
    if (typeof url === "string") {
      const mediaPath = `${partPath}.image_url`;
      const media = readUrl(url, `${mediaPath}.url`);
      const signature = googleSignature(image as JsonObject);
      const proof = signature === undefined ? {} : { signature };
      parts.push({ type: "image", media, mediaPath, path: partPath, ...proof });
    } else dropped.push(partPath);
  });
  return parts;
}

function readPart(part: JsonObject, path: string): Omit<Part, "path"> & JsonObject {
  switch (part.type) {
    case "text":
      return { type: "text", text: need(part.text, `${path}.text`) };
    case "refusal":
      return { type: "refusal", text: need(part.refusal, `${path}.refusal`) };
    case "image_url": {
      const image = typeof part.image_url === "string" ? { url: part.image_url } : part.image_url;
      const { url, detail } = isObject(image) ? image : {} as JsonObject;
      const mediaPath = `${path}.image_url`;
      const media = readUrl(need(url, `${mediaPath}.url`), `${mediaPath}.url`);
      return typeof detail === "string"
        ? { type: "image", media, mediaPath, detail, detailPath: `${mediaPath}.detail` }
        : { type: "image", media, mediaPath };
    }
    case "video_url": {
      const video = isObject(part.video_url) ? part.video_url.url : part.video_url;
      const mediaPath = `${path}.video_url`;
      return {
        type: "video",
        media: readUrl(need(video, `${mediaPath}.url`), `${mediaPath}.url`),
        mediaPath,
      };
    }
    case "input_audio": {
      const { data, format } = isObject(part.input_audio) ? part.input_audio : {} as JsonObject;
      const text = need(data, `${path}.input_audio.data`);
      const kind = typeof format === "string" ? format : "wav";
      const media = ADDRESS.test(text)
        ? readUrl(text, `${path}.input_audio.data`)
        : { mime: kind === "mp3" ? "audio/mpeg" : `audio/${kind}`, data: text.replace(/\s+/g, "") };
      return { type: "audio", media, mediaPath: `${path}.input_audio` };
    }
    case "file": {
      const file = isObject(part.file) ? part.file : {} as JsonObject;
      const mediaPath = `${path}.file`;
      const named = typeof file.filename === "string"
        ? { name: file.filename, namePath: `${mediaPath}.filename` }
        : {};
      if (typeof file.file_id === "string") {
        return { type: "file", media: { id: file.file_id }, mediaPath, ...named };
      }
      const data = need(file.file_data, `${path}.file.file_data`);
      const media = ADDRESS.test(data)
        ? readUrl(data, `${path}.file.file_data`)
        : { mime: "application/pdf", data: data.replace(/\s+/g, "") }; // OpenAI accepts a PDF as bare base64.
      return { type: "file", media, mediaPath, ...named };
    }
    default:
      return { type: "native", value: part };
  }
}
