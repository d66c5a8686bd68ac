/**
 * Anthropic's Messages API as far as it refuses things: each rule is one that the API answers 400 to, in its own words
 * where they are known.
 *
 * @see https://platform.claude.com/docs/en/api/messages
 * @see https://platform.claude.com/docs/en/build-with-claude/thinking-tool-workflows
 */
import { type Asked, events, type Json, type Script, scripted, sse } from "./lab.ts";
import {
  binds,
  type Block,
  inGeneration,
  inMarks,
  inMedia,
  inSchemas,
  inSystemTurn,
  inUserId,
  prefixes,
} from "./strict_anthropic_rules.ts";

const FIELDS = new Set(
  ("cache_control container context_management inference_geo max_tokens mcp_servers messages metadata model output_config " +
    "service_tier speed stop_sequences stream system temperature thinking tool_choice tools top_k top_p")
    .split(" "),
);
/** What a request for a count does not take. */
const ANSWER_FIELDS = new Set(
  "container inference_geo max_tokens metadata service_tier stop_sequences stream temperature top_k top_p"
    .split(" "),
);
const COUNT = "/v1/messages/count_tokens";
const ID = /^[a-zA-Z0-9_-]+$/;

/** A signature: the signed text, and each start of a conversation after which it is valid. */
type Signed = Map<string, { said: string; behind: Set<string> }>;

/**
 * A provider that answers with these turns in order, and refuses what Anthropic refuses.
 *
 * @param container The container in which the turns' code runs. A tool call from code can only be answered there.
 */
export function strictAnthropic(turns: Script<Block[]>, container?: Json) {
  const signed: Signed = new Map();
  const next = scripted(turns);
  let answers = 0;
  const play = (given: Asked): Response => {
    const asked = inBlocks(given);
    const fault = find(asked, signed, container);
    if (fault) {
      const error = { type: "invalid_request_error", message: fault };
      return Response.json({ type: "error", error, request_id: "req_1" }, { status: 400 });
    }
    if (asked.url.pathname === COUNT) return Response.json({ input_tokens: 20 });
    const content = next(given);
    if (content instanceof Response) return content;
    sign(asked.body, content, signed);
    // Claude Code takes answers of one id for one.
    const head = { ...HEAD, id: `msg_${++answers}` };
    return asked.body.stream
      ? events(sse(streamOf(head, content, container), true))
      : Response.json(wholeOf(head, content, container));
  };
  return { play, check: (asked: Asked) => find(inBlocks(asked), signed, container) };
}

/** The same request with single texts written as a list of one block, which they are short for. */
function inBlocks(asked: Asked): Asked {
  const messages = Array.isArray(asked.body.messages) ? asked.body.messages as Json[] : [];
  const listed = messages.map(({ content, ...message }) => ({
    ...message,
    content: typeof content === "string" && content !== "" ? [{ type: "text", text: content }] : content,
  }));
  return messages.length === 0 ? asked : { ...asked, body: { ...asked.body, messages: listed } };
}

/** Binds the answer's thinking to the conversation before it. */
function sign(asked: Json, content: Block[], signed: Signed): void {
  const messages = [...asked.messages as Json[], { role: "assistant", content }];
  for (const { block, before } of prefixes({ ...asked, messages }).slice(-content.length)) {
    const proof = block.signature ?? (block.type === "redacted_thinking" ? block.data : undefined);
    if (typeof proof !== "string") continue;
    const known = signed.get(proof) ?? { said: (block.thinking ?? "") as string, behind: new Set() };
    known.behind.add(before);
    signed.set(proof, known);
  }
}

const USAGE = {
  input_tokens: 20,
  cache_read_input_tokens: 7,
  cache_creation_input_tokens: 5,
  output_tokens: 30,
};
const HEAD = { type: "message", role: "assistant", model: "claude-x", stop_sequence: null };
const reason = (content: Block[]) =>
  content.some(({ type }) => type === "tool_use") ? "tool_use" : "end_turn";

const wholeOf = (head: Json, content: Block[], container: Json | null = null) => ({
  ...head,
  content,
  stop_reason: reason(content),
  usage: USAGE,
  container,
});

function streamOf(head: Json, content: Block[], container: Json | null = null): Json[] {
  const out: Json[] = [{
    type: "message_start",
    message: { ...head, content: [], stop_reason: null, usage: { ...USAGE, output_tokens: 1 } },
  }];
  content.forEach((block, index) => {
    const delta = (value: Json) => out.push({ type: "content_block_delta", index, delta: value });
    const start = (content_block: Json) => out.push({ type: "content_block_start", index, content_block });
    const { type, text, thinking, signature, input } = block;
    if (type === "text") {
      start({ type, text: "" });
      for (const citation of (block.citations ?? []) as Json[]) delta({ type: "citations_delta", citation });
      for (const piece of pieces(text as string)) delta({ type: "text_delta", text: piece });
    } else if (type === "thinking") {
      start({ type, thinking: "", signature: "" });
      for (const piece of pieces(thinking as string)) delta({ type: "thinking_delta", thinking: piece });
      delta({ type: "signature_delta", signature });
    } else if (type === "tool_use") {
      start({ ...block, input: {} });
      delta({ type: "input_json_delta", partial_json: "" });
      const json = JSON.stringify(input);
      if (json !== "{}") {
        for (const piece of pieces(json)) delta({ type: "input_json_delta", partial_json: piece });
      }
    } else start(block);
    out.push({ type: "content_block_stop", index });
  });
  out.push({
    type: "message_delta",
    delta: { stop_reason: reason(content), stop_sequence: null, container },
    usage: { output_tokens: USAGE.output_tokens },
  }, { type: "message_stop" });
  return out;
}

const pieces = (text: string) => text.match(/[^]{1,5}/g) ?? [];

// ---------------------------------------------------------------- what it refuses

function find({ url, headers, body }: Asked, signed: Signed, container?: Json): string | undefined {
  const isCount = url.pathname === COUNT;
  if (!isCount && url.pathname !== "/v1/messages" || !["", "?beta=true"].includes(url.search)) {
    return `no such path: ${url}`;
  }
  if (headers.get("x-api-key") !== "key" || headers.has("authorization")) return "invalid x-api-key";
  if (!headers.get("anthropic-version")) return "anthropic-version: header is required";
  const unknown = Object.keys(body).find((field) =>
    !FIELDS.has(field) || isCount && ANSWER_FIELDS.has(field)
  );
  if (unknown) return `${unknown}: Extra inputs are not permitted`;
  const { max_tokens, thinking } = body as { max_tokens?: number; thinking?: Json };
  if (!isCount && (!Number.isInteger(max_tokens) || max_tokens! < 1)) return "max_tokens: Field required";
  if (thinking?.type === "enabled") {
    const budget = thinking.budget_tokens as number;
    if (!(budget >= 1024)) {
      return "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024";
    }
    if (!isCount && budget >= max_tokens!) {
      return "`max_tokens` must be greater than `thinking.budget_tokens`";
    }
    if (body.temperature !== undefined && body.temperature !== 1) {
      return "`temperature` may only be set to 1 when thinking is enabled";
    }
    if (body.top_k !== undefined) return "`top_k` must be unset when thinking is enabled";
    const { type } = (body.tool_choice ?? {}) as Json;
    if (type === "any" || type === "tool") {
      return "Thinking may not be enabled when tool_choice forces tool use.";
    }
  }
  const { edits = [] } = (body.context_management ?? {}) as { edits?: Json[] };
  const clears = edits.find(({ type }) => `${type}`.startsWith("clear_thinking_"));
  if (clears && !["adaptive", "enabled"].includes(thinking?.type as string)) {
    return `\`${clears.type}\` strategy requires \`thinking\` to be enabled`;
  }
  const betas = headers.get("anthropic-beta") ?? "";
  const fault = betas.includes("mcp-client-2025-11-20") ? inServed(body) : withoutServers(body);
  if (fault) return fault;
  return inSettings(body) ?? inTools(body) ?? inSystem(body.system) ?? inMessages(body, signed) ??
    inGeneration(body) ?? inMarks(body) ?? inSchemas(body) ?? inContainer(body, container);
}

/** A tool call from code waits in its container. */
function inContainer({ messages, container }: Json, running?: Json): string | undefined {
  const [asked, answer] = (messages as { content: Block[] }[]).slice(-2);
  const waits = answer?.content.some(({ type, tool_use_id }) =>
    type === "tool_result" &&
    asked.content.some(({ id, caller }) => id === tool_use_id && caller && (caller as Json).type !== "direct")
  );
  if (waits && (container === undefined || container !== running?.id)) {
    return "container_id is required when there are pending tool uses generated by code execution with tools.";
  }
}

function inSettings({ temperature, top_p, stop_sequences, metadata, tool_choice, tools, model }: Json) {
  if (typeof temperature === "number" && (temperature < 0 || temperature > 1)) {
    return "temperature: range: 0..1";
  }
  if (temperature !== undefined && top_p !== undefined && /4-5/.test(model as string)) {
    return "`temperature` and `top_p` cannot both be specified for this model.";
  }
  for (const text of (stop_sequences ?? []) as string[]) {
    if (text.trim() === "") return "stop_sequences: each stop sequence must contain non-whitespace";
  }
  const extra = Object.keys(metadata as Json ?? {}).find((name) => name !== "user_id");
  if (extra) return `metadata.${extra}: Extra inputs are not permitted`;
  const personal = inUserId((metadata as Json | undefined)?.user_id);
  if (personal) return personal;
  if (tool_choice !== undefined && !(tools as unknown[])?.length) {
    return "tool_choice: may only be specified while providing tools";
  }
}

function inTools({ tools, mcp_servers: servers }: Json): string | undefined {
  const names = new Set<unknown>();
  for (const [at, tool] of ((tools ?? []) as Json[]).entries()) {
    if (tool.type === "mcp_toolset") {
      const isKnown = ((servers ?? []) as Json[]).some(({ name }) => name === tool.mcp_server_name);
      if (!isKnown) return `MCP server '${tool.mcp_server_name}' not found in mcp_servers`;
      continue;
    }
    if (!/^[a-zA-Z0-9_-]{1,128}$/.test(tool.name as string)) {
      return `tools.${at}.custom.name: String should match`;
    }
    if (names.has(tool.name)) return "tools: Tool names must be unique.";
    names.add(tool.name);
  }
}

/** Servers of tools are a beta. */
function withoutServers({ messages, mcp_servers: servers }: Json): string | undefined {
  if (servers !== undefined) return "mcp_servers: Extra inputs are not permitted";
  const blocks = (messages as { content: Block[] }[]).flatMap(({ content }) => content ?? []);
  const served = blocks.find(({ type }) => type.startsWith("mcp_"));
  if (served) {
    return `messages: Input tag '${served.type}' found using 'type' does not match any of the expected tags`;
  }
}

/** A call of a server's tool stands with its result in one turn. */
function inServed({ messages }: Json): string | undefined {
  for (const [at, { content }] of (messages as { content: Block[] }[]).entries()) {
    const open = new Set<unknown>();
    for (const block of content ?? []) {
      if (block.type === "mcp_tool_use") {
        if (!/^mcptoolu_[\w-]+$/.test(`${block.id}`)) return `messages.${at}: mcp_tool_use.id: invalid`;
        open.add(block.id);
      } else if (block.type === "mcp_tool_result" && !open.delete(block.tool_use_id)) {
        return `messages.${at}: unexpected \`tool_use_id\` found in \`mcp_tool_result\` blocks`;
      }
    }
    if (open.size > 0) return `messages.${at}: \`mcp_tool_use\` ids were found without results`;
  }
}

function inSystem(system: unknown): string | undefined {
  if (system === undefined) return;
  const blocks = typeof system === "string" ? [{ type: "text", text: system }] : system as Block[];
  return blocks.map(inText).find(Boolean);
}

function inText({ type, text }: Json): string | undefined {
  if (type === "text" && (text as string).trim() === "") {
    return "text content blocks must contain non-whitespace text";
  }
}

function inMessages(
  body: Json,
  signed: Signed,
): string | undefined {
  const { messages, thinking, model, tools } = body;
  const list = messages as { role: string; content: Block[] }[];
  if (!Array.isArray(list) || list.length === 0) return "messages: at least one message is required";
  const used = new Set<string>();
  let pending: string[] = [];
  for (const [at, { role, content, ...more }] of list.entries()) {
    const here = `messages.${at}`;
    // An instruction may set the effort from there on.
    const odd = Object.keys(more).find((name) => role !== "system" || name !== "output_config");
    if (odd) return `${here}.${odd}: Extra inputs are not permitted`;
    const misplaced = inSystemTurn(list, at, model as string);
    if (misplaced) return misplaced;
    if (role !== "system" && role !== "user" && role !== "assistant") {
      return `${here}.role: Input should be 'user' or 'assistant'`;
    }
    if (!Array.isArray(content) || content.length === 0) {
      return `${here}: all messages must have non-empty content`;
    }
    const fault = content.map(inText).find(Boolean) ?? content.map((block) => inMedia(block)).find(Boolean);
    if (fault) return `${here}: ${fault}`;
    const results = content.filter(({ type }) => type === "tool_result").map((block) =>
      block.tool_use_id as string
    );
    if (pending.some((id) => !content.slice(0, results.length).some((block) => block.tool_use_id === id))) {
      return `${here}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${pending}`;
    }
    if (new Set(results).size < results.length) return `${here}: each tool_use must have a single result`;
    const stray = results.find((id) => !pending.includes(id));
    if (stray !== undefined) {
      return `${here}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${stray}`;
    }
    for (const { type, is_error, content: said } of content) {
      if (
        type === "tool_result" && is_error && (said === undefined || said === "" || (said as []).length === 0)
      ) {
        return `${here}: content cannot be empty if \`is_error\` is true`;
      }
    }
    pending = [];
    for (const { type, id, input, signature, thinking, data } of content) {
      if (type === "tool_use") {
        if (!ID.test(id as string)) return `${here}.tool_use.id: String should match pattern '${ID.source}'`;
        if (used.has(id as string)) return `${here}: \`tool_use\` ids must be unique`;
        if (typeof input !== "object" || input === null || Array.isArray(input)) {
          return `${here}.tool_use.input: Input should be a valid dictionary`;
        }
        used.add(id as string);
        pending.push(id as string);
      } else if (type === "thinking" && signed.get(signature as string)?.said !== thinking) {
        return `${here}: Invalid \`signature\` in \`thinking\` block`;
      } else if (type === "redacted_thinking" && !signed.has(data as string)) {
        return `${here}: Invalid \`data\` in \`redacted_thinking\` block`;
      }
    }
  }
  for (const { block, before } of binds(model) ? prefixes(body) : []) {
    const known = signed.get((block.signature ?? block.data) as string);
    if (known && !known.behind.has(before)) {
      return "Invalid `signature` in `thinking` block. The block is bound to a different conversation.";
    }
  }
  if (pending.length > 0) return "`tool_use` ids were found without `tool_result` blocks";
  if (used.size > 0 && !(tools as unknown[])?.length) {
    return "Requests which include `tool_use` or `tool_result` blocks must define tools.";
  }
  const last = list[list.length - 1];
  const end = last.content[last.content.length - 1];
  if (last.role === "assistant" && end.type === "text" && /\s$/.test(end.text as string)) {
    return "final assistant content cannot end with trailing whitespace";
  }
  const resumes = last.role === "user" && last.content.some(({ type }) => type === "tool_result");
  if ((thinking as Json)?.type !== "enabled" || !resumes) return;
  // The assistant's turn began after the last user message that is not a result.
  const begin = list.findLastIndex(({ role, content }) =>
    role === "user" && !content.some(({ type }) => type === "tool_result")
  );
  const { type } = list.slice(begin + 1).find(({ role }) => role === "assistant")!.content[0];
  if (type !== "thinking" && type !== "redacted_thinking") {
    return `messages.${
      begin + 1
    }.content.0.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`${type}\``;
  }
}
