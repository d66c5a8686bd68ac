/** What clients say in the conversation. */
import type { Json } from "../../acceptance/lab.ts";
import {
  asked,
  type Feature,
  history,
  messagesTools,
  parts,
  type Places,
  PLAIN,
  responsesTools,
} from "./feature.ts";

const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==";
const PDF = "JVBERi0xLjQKJYCAgIAKMSAwIG9iago=";
const LINK = "https://pictures.example/cat.png";

/** A call of `f` with its result. */
const results = (messages?: Json, responses?: unknown): Feature["says"] => ({
  ...(messages && {
    anthropic: {
      tools: messagesTools("f"),
      messages: [asked, {
        role: "assistant",
        content: [{ type: "tool_use", id: "c1", name: "f", input: {} }],
      }, {
        role: "user",
        content: [{ type: "tool_result", tool_use_id: "c1", ...messages }],
      }],
    },
  }),
  ...(responses !== undefined && {
    responses: {
      tools: responsesTools("f"),
      input: [asked, { type: "function_call", call_id: "c1", name: "f", arguments: "{}" }, {
        type: "function_call_output",
        call_id: "c1",
        output: responses,
      }],
    },
  }),
});

const IMAGES: Places = {
  openai: "messages.*.content.*.image_url",
  responses: "input.*.content.*.image_url",
  anthropic: "messages.*.content.*.source",
  gemini: "contents.*.parts.*.inlineData|contents.*.parts.*.fileData",
  cohere: "messages.*.content.*.image_url",
  perplexity: "input.*.content.*.image_url",
  bedrock: "messages.*.content.*.image",
};

const TOOLS: Places = {
  openai: "tools.*.function",
  responses: "tools.*[type=function]",
  anthropic: "tools.*.input_schema",
  gemini: "tools.*.functionDeclarations",
  cohere: "tools.*.function",
  perplexity: "tools.*[type=function]",
  bedrock: "toolConfig.tools.*.toolSpec",
};

export const TALK: readonly Feature[] = [
  {
    name: "system text",
    says: {
      openai: { messages: [{ role: "system", content: "MARK" }, asked] },
      anthropic: { system: "MARK" },
      responses: { instructions: "MARK" },
    },
    mark: "MARK",
    places: {
      openai: "messages.*[role=system]",
      responses: "instructions|input.*[role=system]|input.*[role=developer]",
      anthropic: "system",
      gemini: "systemInstruction",
      cohere: "messages.*[role=system]",
      perplexity: "input.*[role=system]",
      bedrock: "system",
    },
  },
  {
    name: "system text between turns",
    says: {
      openai: {
        messages: [asked, { role: "assistant", content: "Yes" }, asked, { role: "system", content: "MARK" }],
      },
      anthropic: {
        messages: [asked, { role: "assistant", content: "Yes" }, asked, { role: "system", content: "MARK" }],
      },
      responses: {
        input: [asked, { role: "assistant", content: "Yes" }, asked, { role: "developer", content: "MARK" }],
      },
    },
    mark: "MARK",
    places: {
      openai: "messages.*[role=system]|messages.*[role=developer]",
      responses: "input.*[role=system]|input.*[role=developer]",
      anthropic: "messages.*[role=system]",
      cohere: "messages.*[role=system]",
      perplexity: "input.*[role=system]|input.*[role=developer]",
    },
  },
  {
    name: "pictures as base64",
    says: parts(
      { type: "image_url", image_url: { url: `data:image/png;base64,${PNG}` } },
      { type: "image", source: { type: "base64", media_type: "image/png", data: PNG } },
      { type: "input_image", image_url: `data:image/png;base64,${PNG}`, detail: "auto" },
    ),
    mark: PNG,
    places: IMAGES,
  },
  {
    name: "pictures by URL",
    says: parts(
      { type: "image_url", image_url: { url: LINK } },
      { type: "image", source: { type: "url", url: LINK } },
      { type: "input_image", image_url: LINK, detail: "auto" },
    ),
    mark: LINK,
    places: IMAGES,
  },
  {
    name: "PDFs",
    says: parts(
      { type: "file", file: { filename: "a.pdf", file_data: `data:application/pdf;base64,${PDF}` } },
      { type: "document", source: { type: "base64", media_type: "application/pdf", data: PDF } },
      { type: "input_file", filename: "a.pdf", file_data: `data:application/pdf;base64,${PDF}` },
    ),
    mark: PDF,
    places: {
      openai: "messages.*.content.*.file",
      responses: "input.*.content.*.file_data",
      anthropic: "messages.*.content.*.source",
      gemini: "contents.*.parts.*.inlineData",
      bedrock: "messages.*.content.*.document",
    },
  },
  {
    name: "sound",
    says: parts({ type: "input_audio", input_audio: { data: PDF, format: "wav" } }),
    mark: PDF,
    places: { openai: "messages.*.content.*.input_audio", gemini: "contents.*.parts.*.inlineData" },
  },
  {
    name: "results that are errors",
    says: results({ content: "MARK", is_error: true }),
    mark: "MARK",
    places: {
      anthropic: "messages.*.content.*[is_error=true]",
      gemini: "contents.*.parts.*.functionResponse.response.error",
      bedrock: "messages.*.content.*.toolResult[status=error]",
    },
  },
  {
    name: "pictures in results",
    says: results(
      { content: [{ type: "image", source: { type: "base64", media_type: "image/png", data: PNG } }] },
      [{ type: "input_image", image_url: `data:image/png;base64,${PNG}`, detail: "auto" }],
    ),
    mark: PNG,
    places: {
      anthropic: "messages.*.content.*.content.*.source",
      responses: "input.*.output.*.image_url",
      gemini: "contents.*.parts.*.functionResponse.parts",
      perplexity: "input.*.output.*.image_url",
      bedrock: "messages.*.content.*.toolResult.content.*.image",
    },
  },
  {
    name: "proofs of another provider's thoughts",
    silent: true,
    base: history(),
    says: history(
      [{ type: "reasoning.text", text: "Hm.", signature: "c2lnbmVk", format: "somebody-else-v1", index: 0 }],
      { type: "thinking", thinking: "Hm.", signature: "slc1.somebody-else-v1.e30" },
      { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "slc1.somebody-else-v1.e30" },
    ),
    places: {},
  },
  { name: "functions", says: PLAIN, places: TOOLS, mark: '"city"' },
];
