/**
 * OpenAI chat completions, the provider's half: writes neutral messages as those of a request.
 *
 * Every message stays in its place, also system messages between turns. Results follow their tool calls directly ("An
 * assistant message with 'tool_calls' must be followed by tool messages"). A tool's message cannot hold media, so media
 * in results become a user's message behind the last result.
 */
import { markPath, writeBreakpoint } from "../shared/cache_marks.ts";
import { contentPath, mediaUrl, nothingSaid } from "../shared/parts.ts";
import { functionArguments } from "../shared/tools.ts";
import type { JsonObject, Message, MessageOf, Part, Thought, ToolCall } from "../types.ts";
import type { ChatTakes } from "./takes.ts";

/** What the writers of messages need and record. */
export interface Turns {
  takes: ChatTakes;
  /** The model accepts `prompt_cache_breakpoint` on parts. */
  breakpoints: boolean;
  /** Turns a function's name into one that the provider accepts. */
  nameOf: (name: string) => string;
  /** The names of the tools that are offered as `custom`. */
  customs: ReadonlySet<string>;
  /** The client speaks this wire too, so its file ids and native parts are this provider's. */
  ownFiles: boolean;
  dropped: string[];
}

/** The origin of a written message: paths in the client's body. */
export interface Source {
  path: string;
  /** The paths of the parts of its content, if that is a list. */
  content?: string[];
  thought?: string;
  calls?: string[];
}

/** The written messages and the source of each. */
export interface Written {
  messages: JsonObject[];
  sources: Source[];
}

/** Separates the texts of one message, which are joined into one. */
const BETWEEN = "\n\n";

/**
 * Writes a conversation.
 *
 * @throws GatewayError `invalid_request` if nothing of the user's last message can be sent.
 */
export function writeTurns(list: Message[], turns: Turns): Written {
  const written: Written = { messages: [], sources: [] };
  const add = (message: JsonObject, source: Source) => {
    written.messages.push(message);
    written.sources.push(source);
  };
  /** The ids of the tool calls that still wait for a result, and of those that have one. */
  const pending = new Set<string>();
  const answered = new Set<string>();
  const names = new Map<string, string>();
  let held: [JsonObject, Source][] = [];
  let media: { parts: JsonObject[]; source: Source } | undefined;

  /** Called when no more results of the last turn can follow. */
  function closeResults(): void {
    if (media) add({ role: "user", content: media.parts }, media.source);
    for (const [message, source] of held) add(message, source);
    media = undefined;
    held = [];
    pending.clear();
    answered.clear();
  }

  for (const message of list) {
    switch (message.role) {
      case "tool": {
        if (answered.has(message.callId)) {
          turns.dropped.push(message.path);
          break;
        }
        answered.add(message.callId);
        pending.delete(message.callId);
        const { text, beside, paths } = writeResult(message, turns);
        add({ role: "tool", tool_call_id: message.callId, content: text }, { path: message.path });
        if (beside.length === 0) break;
        media ??= { parts: [], source: { path: message.path, content: [] } };
        const name = names.get(message.callId) ?? message.name ?? "the tool";
        media.parts.push({ type: "text", text: `Attached to the result of ${name}:` }, ...beside);
        media.source.content!.push(message.path, ...paths);
        break;
      }
      case "assistant": {
        closeResults();
        const [out, source] = writeAssistant(message, turns);
        for (const { id, name } of message.calls) {
          pending.add(id);
          names.set(id, name);
        }
        if (out.content !== "" || out.tool_calls) add(out, source);
        break;
      }
      default: {
        const source: Source = { path: message.path };
        const content = writeContent(message, turns, source);
        if (content === "") {
          if (message.role === "user" && message === list.at(-1)) throw nothingSaid(message, "The provider");
          break;
        }
        const out: JsonObject = { role: message.role, content };
        if (message.name !== undefined) out.name = message.name;
        if (pending.size > 0) held.push([out, source]);
        else {
          closeResults();
          add(out, source);
        }
      }
    }
  }
  closeResults();
  return written;
}

// ---------------------------------------------------------------- content

/** Writes the content of a message. Content of text only becomes one text, which every provider accepts. */
function writeContent(message: Message, turns: Turns, source: Source): string | JsonObject[] {
  const { takes, breakpoints, dropped } = turns;
  const out: JsonObject[] = [];
  const paths: string[] = [];
  let isPlain = true;
  const mark = (written: JsonObject | undefined, marked: Message | Part) => {
    if (written && takes.cacheMarks) written.cache_control = marked.cache;
    else if (written && breakpoints) written.prompt_cache_breakpoint = writeBreakpoint(marked, dropped);
    else return void dropped.push(markPath(marked));
    isPlain = false;
  };
  for (const part of message.parts) {
    if ("text" in part && part.text === "") continue;
    const written = writePart(part, turns);
    if (!written) continue;
    if (written.type !== "text") isPlain = false;
    if (part.cache !== undefined) mark(written, part);
    out.push(written);
    paths.push(part.path);
  }
  if (message.cache !== undefined) mark(out.at(-1), message);
  if (isPlain) return out.map(({ text }) => text).join(message.role === "assistant" ? "" : BETWEEN);
  source.content = paths;
  return out;
}

function writePart(part: Part, turns: Turns): JsonObject | undefined {
  const written = writeKnown(part, turns);
  if (!written) turns.dropped.push(contentPath(part));
  return written;
}

function writeKnown(part: Part, { ownFiles }: Turns): JsonObject | undefined {
  switch (part.type) {
    case "text":
    case "refusal":
      return { type: "text", text: part.text };
    case "native":
      // A native part is in the form of the client's wire. Only a chat client shares that with the provider.
      return ownFiles ? { ...part.value } : undefined;
    case "image": {
      if ("id" in part.media) return undefined;
      const { detail } = part;
      const url = mediaUrl(part.media);
      return { type: "image_url", image_url: detail === undefined ? { url } : { url, detail } };
    }
    case "video":
      return "id" in part.media ? undefined : { type: "video_url", video_url: { url: mediaUrl(part.media) } };
    case "audio":
      return "data" in part.media
        ? { type: "input_audio", input_audio: { data: part.media.data, format: soundOf(part.media.mime) } }
        : undefined;
    case "file":
      return writeFile(part, ownFiles);
  }
}

const soundOf = (mime: string) =>
  mime === "audio/mpeg" ? "mp3" : mime.slice(mime.indexOf("/") + 1).replace(/^x-/, "");

/** Writes a file. A text file becomes text, because few providers accept files. A file by URL cannot be sent. */
function writeFile(
  { media, name }: Extract<Part, { type: "file" }>,
  ownFiles: boolean,
): JsonObject | undefined {
  if ("id" in media) return ownFiles ? { type: "file", file: { file_id: media.id } } : undefined;
  if ("url" in media) return undefined;
  if (media.mime.startsWith("image/")) return { type: "image_url", image_url: { url: mediaUrl(media) } };
  const text = TEXT_FILE.test(media.mime) ? decodeText(media.data) : undefined;
  if (text !== undefined) {
    return { type: "text", text: name === undefined ? text : `${name}:\n${text}` };
  }
  const ending = media.mime === "application/pdf" ? "pdf" : "bin";
  return { type: "file", file: { filename: name ?? `document.${ending}`, file_data: mediaUrl(media) } };
}

const TEXT_FILE = /^text\/|^application\/(?:json|xml|yaml|x-yaml|javascript)\b/;

function decodeText(base64: string): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(
      Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)),
    );
  } catch {
    return undefined;
  }
}

// ---------------------------------------------------------------- results

/** The start of a failed tool's text. */
const FAILED = "Error: ";
/** The text of a result that has only media. */
const FOLLOWS = "(The result follows in the user's next message.)";

function writeResult(
  message: MessageOf<"tool">,
  turns: Turns,
): { text: string; beside: JsonObject[]; paths: string[] } {
  const { dropped } = turns;
  const texts: string[] = [];
  const beside: JsonObject[] = [];
  const paths: string[] = [];
  if (message.cache !== undefined) dropped.push(markPath(message));
  for (const part of message.parts) {
    if (part.cache !== undefined) dropped.push(markPath(part));
    const written = writePart(part, turns);
    if (!written) continue;
    if (typeof written.text === "string") texts.push(written.text);
    else {
      beside.push(written);
      paths.push(part.path);
    }
  }
  const text = texts.length === 0 && beside.length > 0 ? FOLLOWS : texts.join(BETWEEN);
  return { text: message.error ? FAILED + text : text, beside, paths };
}

// ---------------------------------------------------------------- answers

function writeAssistant(message: MessageOf<"assistant">, turns: Turns): [JsonObject, Source] {
  const { calls, path } = message;
  const source: Source = { path };
  // An assistant's message cannot hold pictures, even if the model made them.
  const parts = message.parts.filter((part) => {
    const isSaid = part.type === "text" || part.type === "refusal" || part.type === "native";
    if (!isSaid) turns.dropped.push(contentPath(part));
    return isSaid;
  });
  const content = writeContent({ ...message, parts }, turns, source);
  const out: JsonObject = { role: "assistant", content: content === "" && calls.length > 0 ? null : content };
  if (message.name !== undefined) out.name = message.name;
  writeThoughts(message, turns, out, source);
  if (calls.length > 0) {
    out.tool_calls = calls.map((call) => writeCallOf(call, turns));
    source.calls = calls.map((call) => call.path);
  }
  return [out, source];
}

function writeCallOf(call: ToolCall, { nameOf, customs }: Turns): JsonObject {
  const { id, custom, arguments: text } = call;
  const name = nameOf(call.name);
  return custom && customs.has(call.name)
    ? { id, type: "custom", custom: { name, input: text } }
    : { id, type: "function", function: { name, arguments: functionArguments(call) } };
}

/**
 * Writes earlier reasoning: its text, for models that continue from it. Its proof is only written if the provider
 * passes proofs on to their makers. A thought of which nothing is sent is named.
 */
function writeThoughts(
  { thoughts, calls, signature }: MessageOf<"assistant">,
  { takes, dropped }: Turns,
  out: JsonObject,
  source: Source,
): void {
  const { thoughts: member = "reasoning_content" } = takes;
  const texts: string[] = [];
  const details: JsonObject[] = [];
  for (const thought of thoughts) {
    const detail = member === "reasoning_details" ? writeDetail(thought) : undefined;
    if (detail) details.push(detail);
    else if (thought.text && member !== "none") texts.push(thought.text);
    else dropped.push(thought.path);
  }
  if (member === "reasoning_details") {
    // Gemini's signatures, in OpenRouter's form.
    const format = "google-gemini-v1";
    for (const call of calls) {
      if (call.signature === undefined) continue;
      details.push({ type: "reasoning.encrypted", data: call.signature, format, id: call.id });
    }
    if (signature !== undefined) details.push({ type: "reasoning.encrypted", data: signature, format });
  }
  source.thought = thoughts[0]?.path;
  if (details.length > 0) out.reasoning_details = details.map((detail, index) => ({ ...detail, index }));
  if (texts.length > 0) {
    out[member === "reasoning_details" ? "reasoning" : member] = texts.join(BETWEEN);
  }
}

/** Writes a proof in its maker's own form. Data that Sluice sealed itself is JSON, which a proof never is. */
function writeDetail({ text, signature, redacted, format, id }: Thought): JsonObject | undefined {
  if (format === undefined) return undefined;
  if (redacted !== undefined) {
    if (redacted.startsWith("{")) return undefined;
    return { type: "reasoning.encrypted", data: redacted, format, ...(id !== undefined && { id }) };
  }
  return signature === undefined
    ? undefined
    : { type: "reasoning.text", text: text ?? "", signature, format };
}

/** The client's path of a written member: of the message, or of one of its parts, thoughts or tool calls. */
export function sourceOf(path: string, sources: readonly Source[]): string | undefined {
  const [, at, member, index] = /^messages\[(\d+)\](?:\.(\w+)(?:\[(\d+)\])?)?/.exec(path) ?? [];
  const source = sources[Number(at)];
  if (!source) return undefined;
  switch (member) {
    case "content":
      return source.content?.[Number(index)] ?? source.path;
    case "name":
      return `${source.path}.name`;
    case "reasoning":
    case "reasoning_content":
    case "reasoning_details":
      return source.thought ?? source.path;
    case "tool_calls":
      return source.calls?.[Number(index)] ?? source.path;
    default:
      return source.path;
  }
}
