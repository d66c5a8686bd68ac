/** Estimates the tokens of a call, for clients that ask where no provider counts. */
import type { Call, Message, Part, Tool } from "../types.ts";

/**
 * ASCII characters per token. The tokenizers of 2025 and 2026 have 3.5 to 4.5 for English prose and code. The value is
 * lower so that the estimate is rather too high: with one that is too low, clients shorten a conversation too late.
 */
const BYTES_PER_TOKEN = 3.2;

/** Tokens of a picture of 1 to 1.5 megapixels at Anthropic; other providers scale larger pictures down to that size. */
export const IMAGE_TOKENS = 1600;

/**
 * Characters of base64 per token of a file: a PDF page is 1,500 to 3,000 tokens at Anthropic and some 50 kB of base64.
 */
export const FILE_BYTES_PER_TOKEN = 20;

/** Tokens that surround a message, a tool call or a tool. */
const FRAME_TOKENS = 6;

/**
 * Estimates the tokens of a call: messages, tool calls and their results, tools, and the schema of the answer.
 *
 * @returns At least 1.
 */
export function estimateCall({ messages, settings }: Call): number {
  let tokens = 0;
  for (const message of messages) tokens += ofMessage(message);
  for (const tool of settings.tools ?? []) tokens += ofTool(tool);
  if (settings.response_format?.type === "json_schema") {
    tokens += estimateText(settings.response_format.schema);
  }
  return Math.max(1, Math.ceil(tokens));
}

function ofMessage(message: Message): number {
  let tokens = FRAME_TOKENS;
  for (const part of message.parts) tokens += ofPart(part);
  if (message.role !== "assistant") return tokens;
  for (const { text = "" } of message.thoughts) tokens += ofText(text);
  for (const { name, arguments: input } of message.calls) {
    tokens += FRAME_TOKENS + ofText(name) + ofText(input);
  }
  for (const { input, output, error } of message.served ?? []) {
    tokens += 2 * FRAME_TOKENS + estimateText(input) + ofText(error ?? output ?? "");
  }
  return tokens;
}

function ofPart(part: Part): number {
  switch (part.type) {
    case "text":
    case "refusal":
      return ofText(part.text);
    case "image":
      return IMAGE_TOKENS;
    case "native":
      return estimateText(part.value);
    default:
      return "data" in part.media
        ? Math.max(IMAGE_TOKENS, part.media.data.length / FILE_BYTES_PER_TOKEN)
        : IMAGE_TOKENS;
  }
}

function ofTool(tool: Tool): number {
  if (tool.type !== "function" && tool.type !== "custom") return FRAME_TOKENS + estimateText(tool.value);
  const more = tool.type === "function" ? tool.parameters : tool.format;
  return FRAME_TOKENS + ofText(tool.name) + ofText(tool.description ?? "") + estimateText(more);
}

/** Estimates the tokens of a value as JSON text. The value is walked, because nobody needs the text itself. */
export function estimateText(value: unknown): number {
  switch (typeof value) {
    case "string":
      return ofText(value) + 0.5;
    case "object": {
      if (value === null) return 1;
      let tokens = 1;
      for (const key in value) {
        if (!Array.isArray(value)) tokens += ofText(key) + 0.5;
        tokens += estimateText((value as { [key: string]: unknown })[key]);
      }
      return tokens;
    }
    default:
      return 1;
  }
}

/** ASCII is counted by its length. Any other character counts as a token, as other scripts take more tokens. */
function ofText(text: string): number {
  let wide = 0;
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 127) wide++;
  return (text.length - wide) / BYTES_PER_TOKEN + wide;
}
