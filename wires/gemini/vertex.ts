/**
 * Gemini on Vertex AI: the same API, which refuses some fields of the Gemini API and all ids of functions before Gemini 3.
 *
 * Read in `@google/genai` 3.3 (the converters `…ToVertex`, which refuse these fields), 2026-11.
 *
 * @see https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest
 */
import { object, objects, parseObject } from "../shared/json.ts";
import type { Call, JsonObject, Message, Part, WireRequest } from "../types.ts";
import { geminiModel } from "./models.ts";
import { writeCall } from "./write_call.ts";
import { camel } from "./write_settings.ts";

/** Parts for the calls of Google's own tools. */
const OF_GOOGLES_TOOLS = ["toolCall", "toolResponse"];

/** Members of parts, of a function's response and of `generationConfig`. */
const OF_PARTS = ["mediaProcessing", "partMetadata"], OF_RESPONSES = ["willContinue"];
const OF_CONFIG = ["enableEnhancedCivicAnswers"];

export function writeVertex(call: Call): WireRequest {
  const dropped: string[] = [];
  const messages = call.messages.map((message) => withoutRefused(message, dropped));
  const request = writeCall({ ...call, messages });
  const { body } = request;
  if ("store" in body) {
    delete body.store;
    if (call.settings.store !== false) dropped.push("store");
  }
  const config = object(body.generationConfig);
  if (config) body.generationConfig = without(config, OF_CONFIG, "", dropped);
  const { includeServerSideToolInvocations: _, ...toolConfig } = object(body.toolConfig) ?? {};
  if (Object.keys(toolConfig).length > 0) body.toolConfig = toolConfig;
  else delete body.toolConfig;
  const tools = objects(body.tools).filter((tool) => !("fileSearch" in tool || "file_search" in tool));
  if (tools.length < objects(body.tools).length) {
    dropped.push("tools.file_search");
    if (tools.length > 0) body.tools = tools;
    else delete body.tools;
  }
  if (!geminiModel(call.model).third) withoutIds(body);
  return { ...request, dropped: [...request.dropped, ...dropped] };
}

/** The message without the parts and thoughts that Vertex AI refuses. */
function withoutRefused<M extends Message>(message: M, dropped: string[]): M {
  const isTaken = (value: JsonObject | undefined, path: string): boolean => {
    const isRefused = value !== undefined &&
      Object.keys(value).some((key) => OF_GOOGLES_TOOLS.includes(camel(key)));
    if (isRefused) dropped.push(path);
    return !isRefused;
  };
  const parts = message.parts.flatMap((part) =>
    part.type !== "native" ? [part] : isTaken(part.value, part.path) ? [withoutMembers(part, dropped)] : []
  );
  if (message.role !== "assistant") return { ...message, parts };
  const thoughts = message.thoughts.filter(({ redacted, path }) =>
    isTaken(redacted === undefined ? undefined : parseObject(redacted), path)
  );
  return { ...message, parts, thoughts };
}

function withoutMembers(part: Part & { type: "native" }, dropped: string[]): Part {
  const value = without(part.value, OF_PARTS, part.path, dropped);
  const [name, response] = Object.entries(value).find(([key]) => camel(key) === "functionResponse") ?? [];
  const held = object(response);
  if (held) value[name!] = without(held, OF_RESPONSES, `${part.path}.${name}`, dropped);
  return { ...part, value };
}

/** The members of an object but these. Those that it had are named, below its path. */
function without(value: JsonObject, names: readonly string[], path: string, dropped: string[]): JsonObject {
  const isRefused = (key: string) => names.includes(camel(key));
  dropped.push(...Object.keys(value).filter(isRefused).map((key) => path === "" ? key : `${path}.${key}`));
  return Object.fromEntries(Object.entries(value).filter(([key]) => !isRefused(key)));
}

/** Takes the ids of functions out, which are 400 "Unknown name id" before Gemini 3. Results are matched by their order. */
function withoutIds({ contents }: JsonObject): void {
  for (const { parts } of objects(contents)) {
    for (const part of objects(parts)) {
      for (const held of [object(part.functionCall), object(part.functionResponse)]) delete held?.id;
    }
  }
}

/** @see https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/count-tokens */
export function countVertex(call: Call): WireRequest {
  const { path, body, ...request } = writeVertex({ ...call, stream: false });
  const { contents, systemInstruction, tools, generationConfig } = body;
  return {
    ...request,
    path: path.replace(":generateContent", ":countTokens"),
    body: { contents, systemInstruction, tools, generationConfig },
  };
}
