/** What clients say about tools. */
import type { Json } from "../../acceptance/lab.ts";
import {
  asked,
  chatTools,
  type Feature,
  history,
  messagesTools,
  type Places,
  PLAIN,
  responsesTools,
  SCHEMA,
} from "./feature.ts";

/** The same tools with more settings. */
const withTools = (chat?: Json, messages?: Json, responses?: Json): Feature["says"] => ({
  ...(chat && { openai: { tools: chatTools("f", "g"), ...chat } }),
  ...(messages && { anthropic: { tools: messagesTools("f", "g"), ...messages } }),
  ...(responses && { responses: { tools: responsesTools("f", "g"), ...responses } }),
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

export const TOOLS: readonly Feature[] = [
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
];
