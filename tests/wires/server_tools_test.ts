/** Tools that providers run themselves: written for each provider, and their calls read from each answer. */
import { assertEquals } from "@std/assert";
import { anthropicMessages } from "../../wires/anthropic_messages/mod.ts";
import { cohere } from "../../wires/cohere/mod.ts";
import { gemini } from "../../wires/gemini/mod.ts";
import { perplexityAgent } from "../../wires/perplexity_agent/mod.ts";
import type {
  Call,
  Delta,
  JsonObject,
  ProviderWire,
  ServerCall,
  ServerTool,
  Tool,
} from "../../wires/types.ts";

const SEARCH: ServerTool = {
  type: "server",
  kind: "web_search",
  search: {
    allowedDomains: ["a.example"],
    blockedDomains: ["b.example"],
    location: { city: "Bern", x: 1 },
    maxUses: 3,
  },
  value: {
    type: "web_search",
    filters: { allowed_domains: ["a.example"], blocked_domains: ["b.example"] },
    user_location: { type: "approximate", city: "Bern" },
    max_uses: 3,
    search_context_size: "low",
  },
  path: "tools[0]",
};
const FETCH: ServerTool = {
  type: "server",
  kind: "web_fetch",
  value: { type: "f", max_uses: 1 },
  search: { maxUses: 1 },
  path: "tools[1]",
};
const CODE: ServerTool = {
  type: "server",
  kind: "code_execution",
  value: { type: "c", container: "x" },
  path: "tools[2]",
};
const FUNCTION: Tool = {
  type: "function",
  name: "f",
  extra: {},
  path: "tools[3]",
  definitionPath: "tools[3]",
  parametersPath: "tools[3].parameters",
};

function written(wire: ProviderWire, model: string, tools: Tool[], more: Partial<Call> = {}) {
  const { body, dropped } = wire.writeCall({
    wire: "responses",
    model,
    stream: false,
    includeUsage: false,
    messages: [{ role: "user", parts: [{ type: "text", text: "x", path: "input" }], path: "input" }],
    settings: { tools },
    sent: new Map([["tools", "tools"]]),
    dropped: [],
    extra: {},
    ...more,
  });
  return { tools: JSON.parse(JSON.stringify(body.tools ?? null)), dropped };
}

Deno.test("anthropicMessages writes searches, fetches and code as Anthropic's tools, each in a version that the model has", () => {
  const all = [SEARCH, FETCH, CODE];
  const place = { type: "approximate", city: "Bern" };
  const terms = {
    allowed_domains: ["a.example"],
    blocked_domains: ["b.example"],
    user_location: place,
    max_uses: 3,
  };
  for (
    const [model, ...types] of [
      ["claude-sonnet-4-5", "web_search_20250305", "web_fetch_20250910", "code_execution_20250825"],
      ["claude-opus-5-5", "web_search_20260318", "web_fetch_20260318", "code_execution_20260120"],
    ]
  ) {
    assertEquals(written(anthropicMessages, model, all), {
      tools: [
        { type: types[0], name: "web_search", ...terms },
        { type: types[1], name: "web_fetch", max_uses: 1 },
        { type: types[2], name: "code_execution" },
      ],
      dropped: ["tools[0].search_context_size", "tools[2].container"],
    });
  }
  // A tool in the client's own form is sent to a target of the same wire.
  assertEquals(written(anthropicMessages, "claude-opus-5-5", [CODE], { wire: "anthropic" }), {
    tools: [{ type: "c", container: "x" }],
    dropped: [],
  });
});

Deno.test("gemini writes searches, fetches and code as Google's tools, and beside functions only if the model accepts both", () => {
  const unsaid = ["filters", "user_location", "max_uses", "search_context_size"].map((member) =>
    `tools[0].${member}`
  );
  const dropped = [...unsaid, "tools[1].max_uses", "tools[2].container"];
  const own = [{ googleSearch: {} }, { urlContext: {} }, { codeExecution: {} }];
  assertEquals(written(gemini, "gemini-2.5-flash", [SEARCH, FETCH, CODE]), { tools: own, dropped });
  const functions = { functionDeclarations: [{ name: "f" }] };
  assertEquals(written(gemini, "gemini-3-pro-preview", [SEARCH, FETCH, CODE, FUNCTION]), {
    tools: [...own, functions],
    dropped,
  });
  assertEquals(written(gemini, "gemini-2.5-flash", [SEARCH, FETCH, FUNCTION]), {
    tools: [functions],
    dropped: ["tools[0]", "tools[1]"],
  });
});

Deno.test("perplexityAgent writes searches and fetches as Perplexity's tools, and names code", () => {
  assertEquals(written(perplexityAgent, "openai/gpt-5", [SEARCH, FETCH, CODE]), {
    tools: [
      { type: "fetch_url" },
      {
        type: "web_search",
        filters: { search_domain_filter: ["a.example", "-b.example"] },
        user_location: { city: "Bern" },
      },
    ],
    dropped: ["tools[0].max_uses", "tools[0].search_context_size", "tools[1].max_uses", "tools[2]"],
  });
});

Deno.test("cohere names the tools that it cannot run, and a choice between none", () => {
  assertEquals(written(cohere, "command-a-03-2025", [SEARCH, FETCH, CODE]), {
    tools: null,
    dropped: ["tools[0]", "tools[1]", "tools[2]"],
  });
  const choice = {
    settings: { tools: [SEARCH], tool_choice: "required" as const },
    sent: new Map([["tools", "tools"], ["tool_choice", "tool_choice"]] as const),
  };
  assertEquals(written(cohere, "command-a-03-2025", [], choice).dropped, ["tools[0]", "tool_choice"]);
});

// ---------------------------------------------------------------- answers

const calls = (wire: ProviderWire, body: JsonObject): ServerCall[] => {
  const deltas: Delta[] = [];
  wire.readAnswer(body, (delta) => deltas.push(delta));
  return JSON.parse(
    JSON.stringify(deltas.flatMap((delta) => delta.type === "server_tool" ? [delta.serverCall] : [])),
  );
};

Deno.test("anthropicMessages reads the calls of Anthropic's own tools with their results", () => {
  const use = (id: string, name: string, input: JsonObject) => ({ type: "server_tool_use", id, name, input });
  const result = (tool_use_id: string, type: string, content: unknown) => ({ type, tool_use_id, content });
  const content = [
    use("s1", "web_search", { query: "tides" }),
    use("s2", "web_search", { query: "moon" }),
    result("s1", "web_search_tool_result", [{
      type: "web_search_result",
      url: "https://a.example",
      title: "A",
    }]),
    result("s2", "web_search_tool_result", {
      type: "web_search_tool_result_error",
      error_code: "max_uses_exceeded",
    }),
    use("f1", "web_fetch", { url: "https://b.example" }),
    result("f1", "web_fetch_tool_result", {
      type: "web_fetch_result",
      url: "https://b.example",
      content: { type: "document", title: "B" },
    }),
    use("c1", "bash_code_execution", { command: "ls" }),
    result("c1", "bash_code_execution_tool_result", { stdout: "a\n", stderr: "b", return_code: 0 }),
    result("unasked", "web_search_tool_result", []),
    use("t1", "tool_search_tool_regex", { query: "x" }),
    result("t1", "tool_search_tool_result", {}),
    { type: "text", text: "Done." },
  ];
  assertEquals(calls(anthropicMessages, { type: "message", content, stop_reason: "end_turn" }), [
    {
      kind: "web_search",
      input: { query: "tides" },
      id: "s1",
      results: [{ url: "https://a.example", title: "A" }],
    },
    { kind: "web_search", input: { query: "moon" }, id: "s2", error: "max_uses_exceeded" },
    {
      kind: "web_fetch",
      input: { url: "https://b.example" },
      id: "f1",
      results: [{ url: "https://b.example", title: "B" }],
    },
    { kind: "code_execution", input: { command: "ls" }, id: "c1", output: "a\nb" },
  ]);
});

Deno.test("anthropicMessages knows the kind of each of Anthropic's own tools by its name", () => {
  const kinds = [
    ["bash_code_execution", "code_execution"],
    ["code_execution", "code_execution"],
    ["text_editor_code_execution", "code_execution"],
    ["web_fetch", "web_fetch"],
    ["web_search", "web_search"],
  ] as const;
  for (const [name, kind] of kinds) {
    const content = [
      { type: "server_tool_use", id: "s1", name, input: { path: "a" } },
      { type: `${name}_tool_result`, tool_use_id: "s1", content: {} },
    ];
    assertEquals(calls(anthropicMessages, { type: "message", content }), [{
      kind,
      input: { path: "a" },
      id: "s1",
    }]);
  }
});

Deno.test("gemini reads what the model searched, fetched and ran", () => {
  const body = {
    candidates: [{
      content: {
        parts: [
          { executableCode: { language: "PYTHON", code: "print(42)" } },
          { codeExecutionResult: { outcome: "OUTCOME_OK", output: "42\n" } },
          { executableCode: { language: "PYTHON", code: "1/0" } },
          { codeExecutionResult: { outcome: "OUTCOME_FAILED", output: "ZeroDivisionError" } },
          { text: "42" },
        ],
      },
      finishReason: "STOP",
      groundingMetadata: {
        webSearchQueries: ["tides", "moon"],
        groundingChunks: [{ web: { uri: "https://a.example", title: "A" } }, {
          maps: { uri: "https://m.example" },
        }],
      },
      urlContextMetadata: {
        urlMetadata: [
          { retrievedUrl: "https://b.example", urlRetrievalStatus: "URL_RETRIEVAL_STATUS_SUCCESS" },
          { retrievedUrl: "https://c.example", urlRetrievalStatus: "URL_RETRIEVAL_STATUS_PAYWALL" },
        ],
      },
    }],
  };
  assertEquals(calls(gemini, body), [
    { kind: "code_execution", input: { code: "print(42)" }, output: "42\n" },
    { kind: "code_execution", input: { code: "1/0" }, output: "ZeroDivisionError", error: "unavailable" },
    {
      kind: "web_search",
      input: { query: "tides", queries: ["tides", "moon"] },
      results: [{ url: "https://a.example", title: "A" }],
    },
    {
      kind: "web_fetch",
      input: { url: "https://b.example" },
      results: [{ url: "https://b.example", title: "" }],
    },
    { kind: "web_fetch", input: { url: "https://c.example" }, error: "url_not_accessible" },
  ]);
  const beside = {
    candidates: [{
      content: {
        parts: [{ toolCall: { toolType: "GOOGLE_SEARCH_WEB", args: { queries: ["tides"] }, id: "s1" } }, {
          text: "x",
        }],
      },
      finishReason: "STOP",
    }],
  };
  assertEquals(calls(gemini, beside), [{ kind: "web_search", input: { query: "tides" }, results: [] }]);
  assertEquals(
    calls(gemini, { candidates: [{ content: { parts: [{ text: "x" }] }, finishReason: "STOP" }] }),
    [],
  );
});

Deno.test("perplexityAgent reads what was searched and fetched", () => {
  const output = [
    {
      type: "search_results",
      queries: ["tides"],
      results: [{ id: 1, url: "https://a.example", title: "A" }],
    },
    { type: "fetch_url_results", contents: [{ url: "https://b.example", title: "B", snippet: "s" }] },
    { type: "message", content: [{ type: "output_text", text: "x" }] },
  ];
  assertEquals(calls(perplexityAgent, { status: "completed", output }), [
    { kind: "web_search", input: { query: "tides" }, results: [{ url: "https://a.example", title: "A" }] },
    {
      kind: "web_fetch",
      input: { url: "https://b.example" },
      results: [{ url: "https://b.example", title: "B" }],
    },
  ]);
});
