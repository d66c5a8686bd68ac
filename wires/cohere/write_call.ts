/** Cohere's chat API, the provider's half: writes a neutral call as the body of `POST /v2/chat`. */
import { markPath } from "../shared/cache_marks.ts";
import { isGatewayField, withClaudeThinking, withRouterReasoning } from "../shared/gateway_fields.ts";
import { append, object, parseObject } from "../shared/json.ts";
import { withServed } from "../shared/served_calls.ts";
import { contentPath, mediaUrl, nothingSaid } from "../shared/parts.ts";
import { AS_USUAL, AT_DEFAULTS, type SettingsTable, writeSettings } from "../shared/settings.ts";
import { customAsFunction, functionArguments } from "../shared/tools.ts";
import type {
  Call,
  FunctionTool,
  JsonObject,
  Message,
  MessageOf,
  NativeTool,
  Part,
  Tool,
  WireRequest,
} from "../types.ts";

/** A body while it is written, and the client's paths of what it cannot hold. */
interface Draft {
  body: JsonObject;
  dropped: string[];
}

/**
 * Matches models that do not think, e.g. `command-r-plus`. All others think unless told not to, and accept their
 * thinking back.
 */
const PLAIN_MODELS = /^(c4ai-)?(aya|command($|-r|-light|-nightly|-a-03|-a-vision|-a-translate))/;

/**
 * The share of the output limit that each effort may spend on thinking. From `high` on there is no limit: Cohere
 * advises that, and its own compatibility API does so for `high`.
 */
const THINKING_SHARE: ReadonlyMap<string, number | undefined> = new Map([
  ["minimal", 0.1],
  ["low", 0.2],
  ["medium", 0.5],
  ["high", undefined],
  ["xhigh", undefined],
  ["max", undefined],
]);

/** The output limit of the thinking models. The share is taken of it if the client sets no limit. */
const MAX_OUTPUT_TOKENS = 32_000;

/** The schema of a function without parameters. Cohere requires a schema. */
const NO_PARAMETERS = { type: "object", properties: {} };

const SETTINGS: SettingsTable<Draft> = {
  ...AT_DEFAULTS,
  ...AS_USUAL,
  tools: (tools, draft, call) => writeTools(tools, draft, call),
  tool_choice(choice, { body }, call) {
    if (!call.settings.tools?.some(({ type }) => type !== "server")) {
      return choice === "auto" ? undefined : false;
    }
    if (choice === "none") body.tool_choice = "NONE";
    else if (choice === "required" || chosenTool(call)) body.tool_choice = "REQUIRED";
    else if (choice !== "auto") return false;
  },
  parallel_tool_calls: (parallel) => parallel ? undefined : false,
  /** `writeTools` sends only the allowed tools. */
  allowed_tools: () => undefined,
  /**
   * Cohere does not support it "in combinations with the `documents` or `tools` parameters" (`ResponseFormatV2` of
   * `cohere-ai` 8.1.0).
   */
  response_format(format, { body, dropped }, { settings, extra }) {
    if (settings.tools?.length || extra.documents !== undefined) return false;
    body.response_format = format.type === "json_object"
      ? { type: "json_object" }
      : { type: "json_object", json_schema: format.schema };
    if (format.type === "json_schema" && format.description !== undefined) {
      dropped.push(`${format.path}.description`);
    }
  },
  max_tokens: (value, { body }) => void (body.max_tokens = value),
  temperature: (value, { body }) => void (body.temperature = value),
  /**
   * Cohere accepts 0.01 to 0.99. Its default is 0.75, so a value outside is sent as the nearest one and not left out.
   */
  top_p(value, { body }) {
    if (value < 0 || value > 1) return false;
    body.p = Math.min(0.99, Math.max(0.01, value));
  },
  top_k(value, { body }) {
    if (value > 500) return false;
    body.k = value;
  },
  stop: (value, { body }) => void (body.stop_sequences = value),
  seed: (value, { body }) => void (body.seed = value),
  // Cohere's penalties range from 0 to 1, OpenAI's from -2 to 2.
  frequency_penalty(value, { body }) {
    if (value < 0 || value > 1) return false;
    body.frequency_penalty = value;
  },
  presence_penalty(value, { body }) {
    if (value < 0 || value > 1) return false;
    body.presence_penalty = value;
  },
  logprobs: (value, { body }) => void (body.logprobs = value),
  top_logprobs: (value) => value === 0 ? undefined : false,
  reasoning_effort(effort, { body }, call) {
    if (effort === "none") {
      if (canThink(call.model)) body.thinking = { type: "disabled" };
      return;
    }
    if (!canThink(call.model) || !THINKING_SHARE.has(effort)) return false;
    const share = THINKING_SHARE.get(effort);
    body.thinking = { type: "enabled" };
    if (share === undefined) return;
    const budget = Math.floor(share * (call.settings.max_tokens ?? MAX_OUTPUT_TOKENS));
    body.thinking = { type: "enabled", token_budget: Math.max(1, budget) };
  },
};

const canThink = (model: string) => !PLAIN_MODELS.test(model);

/**
 * Writes a call.
 *
 * @throws GatewayError `invalid_request` if nothing of the user's last message can be sent.
 */
export function writeCall(asked: Call): WireRequest {
  const draft: Draft = { body: { model: asked.model }, dropped: [] };
  const { body, dropped } = draft;
  const read = withRouterReasoning(withServed(asked), dropped, withBudget);
  // Anthropic's `thinking` differs from Cohere's only in the name of the budget.
  const isClaudes = object(read.extra.thinking)?.budget_tokens !== undefined;
  const call = isClaudes ? withClaudeThinking(read, dropped, withBudget) : read;
  const { thinking } = call.extra as { thinking?: { type?: unknown } };
  const off = thinking ? thinking.type === "disabled" : call.settings.reasoning_effort === "none";
  const thinks = canThink(call.model) && !off;
  const written = inOrder(call.messages, dropped).map((message) => writeMessage(message, thinks, dropped));
  const said = written.filter(({ role, content, tool_calls }) =>
    content !== "" || role === "tool" || tool_calls
  );
  // Cohere refuses empty messages. If the user's last message is empty, the model would continue its old answer.
  const last = call.messages.findLast(({ role }) => role === "user" || role === "assistant");
  if (said.length === 0 || (last?.role === "user" && said[said.length - 1].role === "assistant")) {
    throw nothingSaid(last ?? call.messages[0], "Cohere");
  }
  dropped.push(...writeSettings(call, draft, SETTINGS));
  if (call.stream) body.stream = true;
  for (const [name, value] of Object.entries(call.extra)) {
    if (isGatewayField(name)) dropped.push(name);
    else body[name] = value;
  }
  body.messages = said; // `messages` comes last, so that a conversation's next request begins with the bytes of this one.
  return { path: "/v2/chat", body, dropped };
}

/** The call with a thinking budget in tokens; `undefined` if the model does not think. */
function withBudget(call: Call, tokens: number): Call | undefined {
  if (!canThink(call.model)) return undefined;
  const thinking = { type: "enabled", token_budget: Math.max(1, Math.floor(tokens)) };
  return { ...call, extra: { ...call.extra, thinking } };
}

/**
 * Puts the results of an answer's tool calls together: an instruction between them moves behind them, and a second
 * result for one tool call is left out and named. Cohere refuses both.
 */
function inOrder(messages: Message[], dropped: string[]): Message[] {
  const out: Message[] = [];
  /** Instructions between results. */
  let held: Message[] = [];
  const answered = new Set<string>();
  let waiting = 0;
  for (const message of messages) {
    const isInstruction = message.role === "system" || message.role === "developer";
    if (message.role === "tool") {
      if (answered.has(message.callId)) {
        dropped.push(message.path);
        continue;
      }
      answered.add(message.callId);
      out.push(message);
      waiting--;
    } else if (isInstruction && waiting > 0) held.push(message);
    else {
      append(out, held);
      held = [];
      out.push(message);
      waiting = message.role === "assistant" ? message.calls.length : 0;
    }
    if (waiting > 0) continue;
    append(out, held);
    held = [];
  }
  append(out, held);
  return out;
}

function writeMessage(message: Message, thinks: boolean, dropped: string[]): JsonObject {
  if (message.name !== undefined) dropped.push(`${message.path}.name`);
  if (message.cache !== undefined) dropped.push(markPath(message));
  switch (message.role) {
    case "assistant":
      return writeAssistant(message, thinks, dropped);
    case "tool":
      if (message.error) dropped.push(`${message.path}.is_error`);
      return {
        role: "tool",
        tool_call_id: message.callId,
        content: content(writeParts(message.parts, false, dropped)),
      };
    case "user":
      return { role: "user", content: content(writeParts(message.parts, true, dropped)) };
    default:
      return { role: "system", content: content(writeParts(message.parts, false, dropped)) };
  }
}

/**
 * Writes an assistant's message. Cohere answers 400 to text beside tool calls: "text content is not allowed when
 * tool_calls are provided".
 */
function writeAssistant(message: MessageOf<"assistant">, thinks: boolean, dropped: string[]): JsonObject {
  const { path, calls } = message;
  const out: JsonObject = { role: "assistant" };
  const said = writeParts(message.parts, false, dropped);
  const thoughts: JsonObject[] = [];
  for (const { text, path: thoughtPath } of message.thoughts) {
    if (text && (thinks || calls.length > 0)) thoughts.push({ type: "thinking", thinking: text });
    else dropped.push(thoughtPath);
  }
  if (calls.length === 0) {
    out.content = content([...thoughts, ...said]);
    return out;
  }
  for (const block of said) {
    if (typeof block.text === "string") {
      if (block.text !== "") thoughts.push({ type: "thinking", thinking: block.text });
    } else if (thinks) thoughts.push(block);
    else dropped.push(`${path}.content`);
  }
  if (thoughts.length > 0) {
    if (thinks) out.content = thoughts;
    else out.tool_plan = thoughts.map(({ thinking }) => thinking).join("\n\n");
  }
  out.tool_calls = calls.map((call) => ({
    id: call.id,
    type: "function",
    function: {
      name: call.name,
      arguments: call.custom ? functionArguments(call) : writeArguments(call.arguments),
    },
  }));
  return out;
}

/**
 * Writes the arguments of a tool call, which must be the text of an object. Anything else is put into an object as
 * text, so that the model can see its own mistake.
 */
function writeArguments(text: string): string {
  const written = text.trim();
  if (written === "" || written === "null") return "{}";
  return parseObject(written) ? text : JSON.stringify({ arguments: text });
}

/** Writes a single text as a string, which every model accepts. */
function content(blocks: JsonObject[]): string | JsonObject[] {
  if (blocks.length === 0) return "";
  return blocks.length === 1 && blocks[0].type === "text" ? blocks[0].text as string : blocks;
}

function writeParts(parts: Part[], images: boolean, dropped: string[]): JsonObject[] {
  const blocks: JsonObject[] = [];
  for (const part of parts) {
    if (part.cache !== undefined) dropped.push(markPath(part));
    switch (part.type) {
      case "text":
      case "refusal":
        blocks.push({ type: "text", text: part.text });
        break;
      case "native":
        blocks.push(part.value);
        break;
      case "image":
        if (!images || "id" in part.media) dropped.push(contentPath(part));
        else {
          const url = mediaUrl(part.media);
          blocks.push({ type: "image_url", image_url: part.detail ? { url, detail: part.detail } : { url } });
        }
        break;
      default:
        dropped.push(contentPath(part));
    }
  }
  return blocks;
}

/** The tools that are sent to Cohere: functions, and tools in Cohere's own form. */
type Offered = FunctionTool | NativeTool;

/** The tool that `tool_choice` names; `undefined` if it is not among the tools. */
function chosenTool({ settings: { tools, tool_choice: choice } }: Call): Tool | undefined {
  return typeof choice === "object" ? tools?.find((tool) => nameOf(tool) === choice.name) : undefined;
}

const nameOf = (tool: Tool) => tool.type === "function" || tool.type === "custom" ? tool.name : undefined;

function writeTools(tools: Tool[], { body, dropped }: Draft, call: Call): void {
  const chosen = chosenTool(call);
  const allowed = call.settings.allowed_tools && new Set<unknown>(call.settings.allowed_tools);
  const asked = chosen ? [chosen] : allowed ? tools.filter((tool) => allowed.has(nameOf(tool))) : tools;
  const sent = asked.flatMap((tool): Offered | [] => {
    if (tool.type === "custom") return customAsFunction(tool, dropped);
    if (tool.type !== "server" && tool.type !== "mcp") return tool;
    dropped.push(tool.path); // Cohere runs none.
    return [];
  });
  if (sent.length === 0 && tools.length > 0) return;
  const strict = sent.every((tool) => tool.type === "function" && tool.strict);
  body.tools = sent.map((tool) => {
    if (tool.type === "native") return tool.value;
    if (tool.cache !== undefined) dropped.push(`${tool.path}.cache_control`);
    if (tool.strict && !strict) dropped.push(`${tool.definitionPath}.strict`);
    const { name, description, parameters = NO_PARAMETERS, extra } = tool;
    const described = description === undefined ? { name } : { name, description };
    return { type: "function", function: { ...described, parameters, ...extra } };
  });
  if (strict && sent.length > 0) body.strict_tools = true;
}
