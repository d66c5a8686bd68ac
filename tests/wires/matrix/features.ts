/** What clients can say in each format, and where each provider's format has a place for it. */
import type { WireName } from "../../../wires/types.ts";
import type { Json } from "../../acceptance/lab.ts";

/**
 * Places in a provider's body: members joined by dots, `*` for each entry of a list, `[name=value]` for entries with that member,
 * `|` between alternatives. Where none is named the format has no place of its own.
 */
export type Places = Partial<Record<WireName, string>>;

/** One thing that clients say. */
export interface Feature {
  name: string;
  /** What it adds to a request of each client's format; a client without it cannot say so. */
  says: Partial<Record<WireName, Json>>;
  places: Places;
  /** A text of it that must reach the provider, if anything of it does. */
  mark?: string;
  /** It means nothing to other providers, and is left out without a word. */
  silent?: true;
  /** What the request has without it. Default: nothing. */
  base?: Feature["says"];
}

const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==";
const PDF = "JVBERi0xLjQKJYCAgIAKMSAwIG9iago=";
const LINK = "https://pictures.example/cat.png";
const SCHEMA = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
const asked = { role: "user", content: "Hi" };

// ---------------------------------------------------------------- helpers

const chatTools = (...names: string[]) =>
  names.map((name) => ({ type: "function", function: { name, parameters: SCHEMA } }));
const messagesTools = (...names: string[]) => names.map((name) => ({ name, input_schema: SCHEMA }));
const responsesTools = (...names: string[]) =>
  names.map((name) => ({ type: "function", name, parameters: SCHEMA }));

/** Two functions. */
const PLAIN: Feature["says"] = {
  openai: { tools: chatTools("f", "g") },
  anthropic: { tools: messagesTools("f", "g") },
  responses: { tools: responsesTools("f", "g") },
};

/** The same tools with more settings. */
const withTools = (chat?: Json, messages?: Json, responses?: Json): Feature["says"] => ({
  ...(chat && { openai: { tools: chatTools("f", "g"), ...chat } }),
  ...(messages && { anthropic: { tools: messagesTools("f", "g"), ...messages } }),
  ...(responses && { responses: { tools: responsesTools("f", "g"), ...responses } }),
});

const parts = (chat?: Json, messages?: Json, responses?: Json): Feature["says"] => ({
  ...(chat && { openai: { messages: [{ role: "user", content: [{ type: "text", text: "Hi" }, chat] }] } }),
  ...(messages &&
    { anthropic: { messages: [{ role: "user", content: [{ type: "text", text: "Hi" }, messages] }] } }),
  ...(responses &&
    { responses: { input: [{ role: "user", content: [{ type: "input_text", text: "Hi" }, responses] }] } }),
});

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

/** An earlier answer, with a thought. */
const history = (chat?: Json[], messages?: Json, responses?: Json): Feature["says"] => ({
  openai: {
    messages: [asked, { role: "assistant", content: "Yes", ...(chat && { reasoning_details: chat }) }, asked],
  },
  anthropic: {
    messages: [
      asked,
      { role: "assistant", content: [...(messages ? [messages] : []), { type: "text", text: "Yes" }] },
      asked,
    ],
  },
  responses: {
    input: [asked, ...(responses ? [responses] : []), { role: "assistant", content: "Yes" }, asked],
  },
});

/** A server of tools, and an earlier answer in which a provider has asked it. */
const MCP_OFFERED: Feature["says"] = {
  anthropic: {
    mcp_servers: [{ type: "url", url: "https://mcp.example", name: "m" }],
    tools: [{ type: "mcp_toolset", mcp_server_name: "m" }],
  },
  responses: {
    tools: [{
      type: "mcp",
      server_label: "m",
      server_url: "https://mcp.example",
      require_approval: "never",
    }],
  },
};
const MCP_CALLED: Feature["says"] = {
  anthropic: {
    messages: [
      asked,
      {
        role: "assistant",
        content: [
          { type: "mcp_tool_use", id: "mcptoolu_1", name: "find", server_name: "m", input: { q: "x" } },
          {
            type: "mcp_tool_result",
            tool_use_id: "mcptoolu_1",
            is_error: false,
            content: [{ type: "text", text: "found it" }],
          },
          { type: "text", text: "Yes" },
        ],
      },
      asked,
    ],
  },
  responses: {
    input: [
      asked,
      {
        type: "mcp_call",
        id: "mcp_1",
        server_label: "m",
        name: "find",
        arguments: '{"q":"x"}',
        output: "found it",
      },
      { role: "assistant", content: "Yes" },
      asked,
    ],
  },
};
const MCP_PLACES: Places = {
  responses: "input.*[type=mcp_call]",
  anthropic: "messages.*.content.*[type=mcp_tool_result]",
};

const everywhere = (value: Json): Feature["says"] => ({ openai: value, anthropic: value, responses: value });

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

// ---------------------------------------------------------------- what is said

export const FEATURES: readonly Feature[] = [
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
  {
    name: "strict functions",
    base: {
      openai: { tools: chatTools("f") },
      anthropic: { tools: messagesTools("f") },
      responses: { tools: responsesTools("f") },
    },
    says: {
      openai: { tools: [{ type: "function", function: { name: "f", strict: true, parameters: SCHEMA } }] },
      anthropic: { tools: [{ name: "f", strict: true, input_schema: SCHEMA }] },
      responses: { tools: [{ type: "function", name: "f", strict: true, parameters: SCHEMA }] },
    },
    places: {
      openai: "tools.*.function.strict",
      responses: "tools.*[strict=true]",
      anthropic: "tools.*.strict",
      gemini: "toolConfig.functionCallingConfig",
      cohere: "strict_tools",
      perplexity: "tools.*[strict=true]",
      bedrock: "toolConfig.tools.*.toolSpec.strict",
    },
  },
  {
    name: "some function must be called",
    base: PLAIN,
    says: withTools({ tool_choice: "required" }, { tool_choice: { type: "any" } }, {
      tool_choice: "required",
    }),
    places: {
      openai: "tool_choice",
      responses: "tool_choice",
      anthropic: "tool_choice",
      gemini: "toolConfig.functionCallingConfig",
      cohere: "tool_choice",
      perplexity: "tool_choice",
      bedrock: "toolConfig.toolChoice.any",
    },
  },
  {
    name: "one function must be called",
    base: PLAIN,
    says: withTools(
      { tool_choice: { type: "function", function: { name: "f" } } },
      { tool_choice: { type: "tool", name: "f" } },
      { tool_choice: { type: "function", name: "f" } },
    ),
    places: {
      openai: "tool_choice.function",
      responses: "tool_choice.name",
      anthropic: "tool_choice.name",
      gemini: "toolConfig.functionCallingConfig.allowedFunctionNames",
      perplexity: "tool_choice.name",
      bedrock: "toolConfig.toolChoice.tool",
    },
  },
  {
    name: "only some functions may be called",
    base: PLAIN,
    says: withTools(
      {
        tool_choice: {
          type: "allowed_tools",
          allowed_tools: { mode: "auto", tools: [{ type: "function", function: { name: "f" } }] },
        },
      },
      undefined,
      { tool_choice: { type: "allowed_tools", mode: "auto", tools: [{ type: "function", name: "f" }] } },
    ),
    places: {
      openai: "tool_choice.allowed_tools",
      responses: "tool_choice.tools",
      gemini: "toolConfig.functionCallingConfig.allowedFunctionNames",
    },
  },
  {
    name: "one call at a time",
    base: withTools({}, { tool_choice: { type: "auto" } }, {}),
    says: withTools(
      { parallel_tool_calls: false },
      { tool_choice: { type: "auto", disable_parallel_tool_use: true } },
      { parallel_tool_calls: false },
    ),
    places: {
      openai: "parallel_tool_calls",
      responses: "parallel_tool_calls",
      anthropic: "tool_choice.disable_parallel_tool_use",
      perplexity: "parallel_tool_calls",
      bedrock: "additionalModelRequestFields.tool_choice",
    },
  },
  {
    name: "tools of free text",
    says: {
      openai: { tools: [{ type: "custom", custom: { name: "patch", description: "MARK" } }] },
      responses: { tools: [{ type: "custom", name: "patch", description: "MARK" }] },
    },
    mark: "MARK",
    places: { openai: "tools.*.custom", responses: "tools.*[type=custom]" },
  },
  {
    name: "grammars of such tools",
    says: {
      openai: {
        tools: [{
          type: "custom",
          custom: {
            name: "patch",
            format: { type: "grammar", grammar: { syntax: "lark", definition: "start: MARK" } },
          },
        }],
      },
      responses: {
        tools: [{
          type: "custom",
          name: "patch",
          format: { type: "grammar", syntax: "lark", definition: "start: MARK" },
        }],
      },
    },
    mark: "MARK",
    places: { openai: "tools.*.custom.format", responses: "tools.*.format" },
  },
  {
    name: "namespaces of functions",
    says: {
      responses: {
        tools: [{ type: "namespace", name: "files", description: "MARK", tools: responsesTools("f") }],
      },
    },
    mark: "MARK",
    places: { responses: "tools.*[type=namespace]" },
  },
  {
    name: "tool search by the client",
    says: {
      responses: {
        tools: [{ type: "tool_search", execution: "client", description: "MARK", parameters: SCHEMA }],
      },
    },
    mark: "MARK",
    places: { responses: "tools.*[type=tool_search]" },
  },
  {
    name: "deferred tools, once they are loaded",
    says: {
      anthropic: {
        tools: [
          { ...messagesTools("f")[0], description: "MARK", defer_loading: true },
          ...messagesTools("g"),
        ],
        messages: [
          asked,
          { role: "assistant", content: [{ type: "tool_use", id: "c1", name: "g", input: {} }] },
          {
            role: "user",
            content: [{
              type: "tool_result",
              tool_use_id: "c1",
              content: [{ type: "tool_reference", tool_name: "f" }],
            }],
          },
        ],
      },
    },
    mark: "MARK",
    places: { anthropic: "tools.*[defer_loading=true]" },
  },
  {
    name: "shell or bash tool",
    says: {
      anthropic: { tools: [{ type: "bash_20250124", name: "bash" }] },
      responses: { tools: [{ type: "shell", environment: { type: "local" } }] },
    },
    places: { anthropic: "tools.*[type=bash_20250124]", responses: "tools.*[type=shell]" },
  },
  {
    name: "patch or edit tool",
    says: {
      anthropic: { tools: [{ type: "text_editor_20250728", name: "str_replace_based_edit_tool" }] },
      responses: { tools: [{ type: "apply_patch" }] },
    },
    places: { anthropic: "tools.*[type=text_editor_20250728]", responses: "tools.*[type=apply_patch]" },
  },
  {
    name: "web search",
    says: {
      openai: { web_search_options: {} },
      anthropic: { tools: [{ type: "web_search_20250305", name: "web_search" }] },
      responses: { tools: [{ type: "web_search" }] },
    },
    places: {
      openai: "web_search_options",
      responses: "tools.*[type=web_search]",
      anthropic: "tools.*[name=web_search]",
      gemini: "tools.*.googleSearch",
      perplexity: "tools.*[type=web_search]",
    },
  },
  {
    name: "web fetch",
    says: { anthropic: { tools: [{ type: "web_fetch_20250910", name: "web_fetch" }] } },
    places: {
      anthropic: "tools.*[name=web_fetch]",
      gemini: "tools.*.urlContext",
      perplexity: "tools.*[type=fetch_url]",
    },
  },
  {
    name: "code execution",
    says: {
      anthropic: { tools: [{ type: "code_execution_20250825", name: "code_execution" }] },
      responses: { tools: [{ type: "code_interpreter", container: { type: "auto" } }] },
    },
    places: {
      responses: "tools.*[type=code_interpreter]",
      anthropic: "tools.*[name=code_execution]",
      gemini: "tools.*.codeExecution",
    },
  },
  {
    name: "search in stored files",
    says: { responses: { tools: [{ type: "file_search", vector_store_ids: ["vs_1"] }] } },
    places: { responses: "tools.*[type=file_search]" },
  },
  {
    name: "computer use",
    says: {
      anthropic: {
        tools: [{
          type: "computer_20250124",
          name: "computer",
          display_width_px: 800,
          display_height_px: 600,
        }],
      },
      responses: { tools: [{ type: "computer" }] },
    },
    places: { anthropic: "tools.*[name=computer]", responses: "tools.*[type=computer]" },
  },
  {
    name: "MCP servers",
    says: {
      anthropic: { mcp_servers: [{ type: "url", url: "https://mcp.example", name: "m" }] },
      responses: { tools: [{ type: "mcp", server_label: "m", server_url: "https://mcp.example" }] },
    },
    places: { responses: "tools.*[type=mcp]", anthropic: "mcp_servers" },
  },
  {
    name: "earlier calls of MCP servers that are offered still",
    mark: "found it",
    base: MCP_OFFERED,
    says: {
      anthropic: { ...MCP_OFFERED.anthropic, ...MCP_CALLED.anthropic },
      responses: { ...MCP_OFFERED.responses, ...MCP_CALLED.responses },
    },
    places: MCP_PLACES,
  },
  {
    name: "earlier calls of MCP servers",
    mark: "found it",
    base: history(),
    says: MCP_CALLED,
    places: MCP_PLACES,
  },
  {
    name: "answers in a schema",
    says: {
      openai: {
        response_format: { type: "json_schema", json_schema: { name: "a", strict: true, schema: SCHEMA } },
      },
      anthropic: { output_config: { format: { type: "json_schema", schema: SCHEMA } } },
      responses: { text: { format: { type: "json_schema", name: "a", strict: true, schema: SCHEMA } } },
    },
    mark: '"city"',
    places: {
      openai: "response_format",
      responses: "text.format",
      anthropic: "output_config.format",
      gemini: "generationConfig.responseJsonSchema|generationConfig.responseSchema",
      cohere: "response_format",
      perplexity: "response_format",
      bedrock: "outputConfig.textFormat",
    },
  },
  {
    name: "answers in any JSON",
    says: {
      openai: { response_format: { type: "json_object" } },
      responses: { text: { format: { type: "json_object" } } },
    },
    places: {
      openai: "response_format",
      responses: "text.format",
      gemini: "generationConfig.responseMimeType",
      cohere: "response_format",
    },
  },
  {
    name: "effort",
    says: {
      openai: { reasoning_effort: "high" },
      anthropic: { output_config: { effort: "high" } },
      responses: { reasoning: { effort: "high" } },
    },
    places: {
      openai: "reasoning_effort|reasoning",
      responses: "reasoning.effort",
      anthropic: "output_config.effort|thinking",
      gemini: "generationConfig.thinkingConfig",
      cohere: "thinking",
      perplexity: "reasoning.effort",
      bedrock: "additionalModelRequestFields",
    },
  },
  {
    name: "a budget to think with",
    says: { anthropic: { thinking: { type: "enabled", budget_tokens: 2000 } } },
    places: {
      anthropic: "thinking.budget_tokens",
      openai: "reasoning_effort|reasoning",
      responses: "reasoning.effort",
      gemini: "generationConfig.thinkingConfig",
      cohere: "thinking.token_budget",
      perplexity: "reasoning.effort",
      bedrock: "additionalModelRequestFields.thinking",
    },
  },
  {
    name: "verbosity",
    says: { openai: { verbosity: "low" }, responses: { text: { verbosity: "low" } } },
    places: { openai: "verbosity", responses: "text.verbosity" },
  },
  {
    name: "reasoning as a summary",
    says: { responses: { reasoning: { summary: "auto" } } },
    silent: true,
    places: {
      responses: "reasoning.summary",
      anthropic: "thinking.display",
      gemini: "generationConfig.thinkingConfig.includeThoughts",
    },
  },
  {
    name: "limit of tokens",
    says: {
      openai: { max_completion_tokens: 4321 },
      anthropic: { max_tokens: 4321 },
      responses: { max_output_tokens: 4321 },
    },
    mark: "4321",
    places: {
      openai: "max_completion_tokens|max_tokens",
      responses: "max_output_tokens",
      anthropic: "max_tokens",
      gemini: "generationConfig.maxOutputTokens",
      cohere: "max_tokens",
      perplexity: "max_output_tokens",
      bedrock: "inferenceConfig.maxTokens",
    },
  },
  {
    name: "temperature",
    says: everywhere({ temperature: 0.25 }),
    places: {
      openai: "temperature",
      responses: "temperature",
      anthropic: "temperature",
      gemini: "generationConfig.temperature",
      cohere: "temperature",
      perplexity: "temperature",
      bedrock: "inferenceConfig.temperature",
    },
  },
  {
    name: "`top_p`",
    says: everywhere({ top_p: 0.75 }),
    places: {
      openai: "top_p",
      responses: "top_p",
      anthropic: "top_p",
      gemini: "generationConfig.topP",
      cohere: "p",
      perplexity: "top_p",
      bedrock: "inferenceConfig.topP",
    },
  },
  {
    name: "`top_k`",
    says: { openai: { top_k: 7 }, anthropic: { top_k: 7 } },
    places: {
      openai: "top_k",
      anthropic: "top_k",
      gemini: "generationConfig.topK",
      cohere: "k",
      perplexity: "top_k",
      bedrock: "additionalModelRequestFields.top_k",
    },
  },
  {
    name: "stop sequences",
    says: { openai: { stop: ["MARK"] }, anthropic: { stop_sequences: ["MARK"] } },
    mark: "MARK",
    places: {
      openai: "stop",
      anthropic: "stop_sequences",
      gemini: "generationConfig.stopSequences",
      cohere: "stop_sequences",
      bedrock: "inferenceConfig.stopSequences",
    },
  },
  {
    name: "seed",
    says: { openai: { seed: 7 } },
    places: { openai: "seed|random_seed", gemini: "generationConfig.seed", cohere: "seed" },
  },
  {
    name: "penalties",
    says: { openai: { frequency_penalty: 0.5 } },
    places: {
      openai: "frequency_penalty",
      gemini: "generationConfig.frequencyPenalty",
      cohere: "frequency_penalty",
    },
  },
  {
    name: "several answers",
    says: { openai: { n: 2 } },
    places: { openai: "n", gemini: "generationConfig.candidateCount" },
  },
  {
    name: "log-probabilities",
    says: {
      openai: { logprobs: true },
      responses: { include: ["message.output_text.logprobs"], top_logprobs: 2 },
    },
    places: {
      openai: "logprobs",
      responses: "top_logprobs|include",
      gemini: "generationConfig.responseLogprobs",
      cohere: "logprobs",
    },
  },
  {
    name: "`logit_bias`",
    says: { openai: { logit_bias: { 50256: -100 } } },
    places: { openai: "logit_bias" },
  },
  {
    name: "the user's id",
    says: {
      openai: { user: "u1" },
      anthropic: { metadata: { user_id: "u1" } },
      responses: { safety_identifier: "u1" },
    },
    places: {
      openai: "user|safety_identifier",
      responses: "safety_identifier|user",
      anthropic: "metadata.user_id",
    },
  },
  {
    name: "metadata",
    says: { openai: { metadata: { a: "b" } }, responses: { metadata: { a: "b" } } },
    places: {
      openai: "metadata",
      responses: "metadata",
      gemini: "labels",
      perplexity: "metadata",
      bedrock: "requestMetadata",
    },
  },
  {
    name: "service tier",
    says: {
      openai: { service_tier: "flex" },
      anthropic: { service_tier: "standard_only" },
      responses: { service_tier: "flex" },
    },
    places: {
      openai: "service_tier",
      responses: "service_tier",
      anthropic: "service_tier",
      gemini: "serviceTier",
      bedrock: "serviceTier",
    },
  },
  {
    name: "cache marks",
    base: parts({ type: "text", text: "long" }, { type: "text", text: "long" }),
    says: parts(
      { type: "text", text: "long", cache_control: { type: "ephemeral" } },
      { type: "text", text: "long", cache_control: { type: "ephemeral" } },
    ),
    places: {
      openai: "messages.*.content.*.cache_control",
      responses: "input.*.content.*.prompt_cache_breakpoint",
      anthropic: "messages.*.content.*.cache_control",
      bedrock: "messages.*.content.*.cachePoint",
    },
  },
  {
    name: "cache key",
    says: { openai: { prompt_cache_key: "k" }, responses: { prompt_cache_key: "k" } },
    places: { openai: "prompt_cache_key", responses: "prompt_cache_key" },
  },
  {
    name: "context management",
    says: { anthropic: { context_management: { edits: [{ type: "clear_tool_uses_20250919" }] } } },
    places: { anthropic: "context_management" },
  },
  {
    name: "`previous_response_id`",
    says: { responses: { previous_response_id: "resp_1" } },
    places: { responses: "previous_response_id" },
  },
  {
    name: "answers that are stored",
    says: { openai: { store: true }, responses: { store: true } },
    places: { openai: "store", responses: "store", gemini: "store", perplexity: "store" },
  },
  {
    name: "answers in the background",
    says: { responses: { background: true } },
    places: { responses: "background", perplexity: "background" },
  },
  {
    name: "one call for a summary (`compaction_trigger`)",
    says: { responses: { input: [asked, { type: "compaction_trigger" }] } },
    places: { responses: "input.*[type=compaction_trigger]" },
  },
  {
    name: "items by their id alone",
    says: { responses: { input: [{ type: "item_reference", id: "msg_1" }, asked] } },
    places: { responses: "input.*[type=item_reference]" },
  },
  {
    name: "limit of tool calls",
    says: { responses: { max_tool_calls: 3 } },
    places: { responses: "max_tool_calls" },
  },
  {
    name: "predicted text",
    says: { openai: { prediction: { type: "content", content: "MARK" } } },
    mark: "MARK",
    places: { openai: "prediction" },
  },
  {
    name: "sound in the answer",
    says: { openai: { modalities: ["text", "audio"], audio: { voice: "alloy", format: "wav" } } },
    places: { openai: "audio", gemini: "generationConfig.responseModalities" },
  },
  {
    name: "truncation",
    says: { responses: { truncation: "auto" } },
    places: { responses: "truncation" },
  },
];
