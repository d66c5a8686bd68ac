/**
 * Anthropic Messages, the client's half: reads tools and the choice of a tool.
 *
 * Checked against `@anthropic-ai/sdk` 1.14.0, 2026-11.
 *
 * @see https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview (2026-11)
 */
import { fault, need, needBoolean, needObject } from "../shared/faults.ts";
import { isObject, list, text } from "../shared/json.ts";
import type { FunctionTool, JsonObject, ServerToolKind, Tool, ToolChoice } from "../types.ts";
import { CLIENT_TOOLS } from "./client_tools.ts";
import { readToolset } from "./mcp.ts";

/** The tools that Anthropic runs itself, by the start of their types. */
const SERVER_TOOLS: readonly (readonly [begins: string, kind: ServerToolKind])[] = [
  ["web_search", "web_search"],
  ["web_fetch", "web_fetch"],
  ["code_execution", "code_execution"],
];

/** Members of a tool that are read, or that other providers do not need. */
const MEMBERS: ReadonlySet<string> = new Set([
  "cache_control",
  "defer_loading",
  "description",
  "eager_input_streaming",
  "input_schema",
  "name",
  "strict",
  "type",
]);

/**
 * Reads the tools that the client offers.
 *
 * A tool with `defer_loading` is offered only after a result or a message has loaded it. If the client relies on
 * Anthropic's tool search, all tools are offered, because no other provider searches for tools.
 *
 * @param loaded See `ReadTurns`.
 * @param servers The body's `mcp_servers`.
 * @param dropped Takes the client's paths of what is left out.
 */
export function readTools(
  tools: JsonObject[],
  loaded: ReadonlyMap<string, boolean>,
  servers: unknown,
  dropped: string[],
): Tool[] {
  const searched = tools.some(({ type }) => typeof type === "string" && type.startsWith("tool_search_tool"));
  const out: Tool[] = [];
  tools.forEach((tool, at) => {
    const path = `tools[${at}]`;
    const type = text(tool.type) ?? "custom";
    if (type.startsWith("tool_search_tool")) return;
    const name = text(tool.name);
    const change = name === undefined ? undefined : loaded.get(name);
    if (change === false || tool.defer_loading === true && !searched && !change) return;
    const read = type === "custom"
      ? readFunction(tool, path, dropped)
      : type === "mcp_toolset"
      ? readToolset(tool, servers, path)
      : readKnown(tool, type, path, dropped);
    if (read) out.push(read);
    else dropped.push(path);
  });
  return out;
}

function readFunction(tool: JsonObject, path: string, dropped: string[]): FunctionTool {
  const { description, strict, input_schema: schema, cache_control: cache } = tool;
  for (const member in tool) {
    if (MEMBERS.has(member) || tool[member] == null || isDirect(member, tool[member])) continue;
    dropped.push(`${path}.${member}`);
  }
  return {
    type: "function",
    name: need(tool.name, `${path}.name`),
    description: description == null ? undefined : need(description, `${path}.description`),
    parameters: schema == null ? undefined : needObject(schema, `${path}.input_schema`),
    strict: strict == null ? undefined : needBoolean(strict, `${path}.strict`),
    cache: isObject(cache) ? cache : undefined,
    path,
    definitionPath: path,
    parametersPath: `${path}.input_schema`,
    extra: {},
  };
}

/** Whether the member only says that the model calls the tool, which is the usual case. */
const isDirect = (member: string, value: unknown) =>
  member === "allowed_callers" && list(value).every((caller) => caller === "direct");

/** Reads a tool that Anthropic defines. One that the client runs becomes a function with a known schema. */
function readKnown(tool: JsonObject, type: string, path: string, dropped: string[]): Tool | undefined {
  const definition = CLIENT_TOOLS.find(({ begins }) => type.startsWith(begins));
  if (definition) {
    const { description, parameters } = definition;
    const name = text(tool.name) ?? definition.name;
    const { max_characters: _, ...known } = tool;
    return {
      ...readFunction({ ...known, name, description, input_schema: parameters }, path, dropped),
      kind: type,
    };
  }
  const kind = SERVER_TOOLS.find(([begins]) => type.startsWith(begins))?.[1];
  if (!kind) return undefined;
  const allowedDomains = texts(tool.allowed_domains), blockedDomains = texts(tool.blocked_domains);
  const { max_uses: maxUses, user_location: location } = tool;
  return {
    type: "server",
    kind,
    search: {
      ...(allowedDomains && { allowedDomains }),
      ...(blockedDomains && { blockedDomains }),
      ...(typeof maxUses === "number" && { maxUses }),
      ...(isObject(location) && { location }),
    },
    value: tool,
    path,
  };
}

function texts(value: unknown): string[] | undefined {
  const found = list(value).filter((one) => typeof one === "string");
  return found.length > 0 ? found : undefined;
}

/**
 * Reads which tool the model must, may or must not call.
 *
 * @throws GatewayError `invalid_request` for an unknown type of choice.
 */
export function readToolChoice(choice: JsonObject): ToolChoice {
  switch (choice.type) {
    case "auto":
    case "none":
      return choice.type;
    case "any":
      return "required";
    case "tool":
      return { name: need(choice.name, "tool_choice.name") };
    default:
      throw fault("tool_choice.type", '"auto", "any", "tool" or "none"', choice.type);
  }
}
