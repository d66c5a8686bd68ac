/**
 * OpenAI's Responses, servers of tools (MCP) that OpenAI asks by itself: a tool of type `mcp`, and `mcp_call` items.
 *
 * A call that the user has to approve first is OpenAI's alone: a server whose tools want that goes to no other API, which would
 * call them unasked. OpenAI asks for approval unless the tool says `never`.
 *
 * Checked against `openai` 7.59 types, 2026-11.
 *
 * @see https://developers.openai.com/api/docs/guides/tools-connectors-mcp
 */
import { list, object, parseObject, text } from "../shared/json.ts";
import { isOffered, type ServedForm } from "../shared/served_calls.ts";
import type { Call, JsonObject, McpServer, ServerCall } from "../types.ts";
import { unseal as sealedItem } from "./write_answered.ts";

const names = (value: unknown): string[] => list(value).filter((name) => typeof name === "string");

/** The members that are read, or that only OpenAI's own tool search needs. */
const MEMBERS: ReadonlySet<string> = new Set([
  ...["allowed_tools", "authorization", "defer_loading", "headers", "require_approval", "server_label"],
  ...["server_url", "type"],
]);

/** Reads a server. `undefined` if only OpenAI can reach it, or if its calls need approval. */
export function readMcpTool(tool: JsonObject, path: string, dropped: string[]): McpServer | undefined {
  const label = text(tool.server_label), url = text(tool.server_url);
  const unasked = unaskedTools(tool.require_approval);
  const allowed = allowedTools(tool.allowed_tools);
  if (label === undefined || url === undefined || !unasked || !allowed) return undefined;
  for (const member in tool) {
    if (!MEMBERS.has(member) && tool[member] != null) dropped.push(`${path}.${member}`);
  }
  const { authorization, ...headers } = lowerCased(object(tool.headers) ?? {});
  for (const name in headers) dropped.push(`${path}.headers.${name}`);
  const token = text(tool.authorization) ?? text(authorization)?.replace(/^bearer\s+/i, "");
  const both = unasked.names && allowed.names
    ? allowed.names.filter((name) => unasked.names!.includes(name))
    : unasked.names ?? allowed.names;
  return {
    type: "mcp",
    label,
    url,
    ...(token !== undefined && { token }),
    ...(both && { allowed: both }),
    value: tool,
    path,
  };
}

const lowerCased = (headers: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

/**
 * The tools that may be called without approval: all of them if there are no names. `undefined` if the tool does not
 * say.
 */
function unaskedTools(approval: unknown): { names?: string[] } | undefined {
  if (approval === "never") return {};
  const { never, always } = object(approval) ?? {};
  const found = names(object(never)?.tool_names);
  return found.length > 0 && always == null ? { names: found } : undefined;
}

/** The named tools; `undefined` for a filter by what the tools do. */
function allowedTools(value: unknown): { names?: string[] } | undefined {
  if (value == null) return {};
  if (Array.isArray(value)) return { names: names(value) };
  const { tool_names: found, ...others } = object(value) ?? {};
  return Array.isArray(found) && Object.values(others).every((one) => one == null)
    ? { names: names(found) }
    : undefined;
}

const labelOf = (label: string) => label.replace(/[^\w-]/g, "_");

/** Writes a server as a tool. It needs no approval, because clients of other wires do not know approvals. */
export const writeMcpTool = ({ label, url, token, allowed }: McpServer): JsonObject => ({
  type: "mcp",
  server_label: labelOf(label),
  server_url: url,
  ...(token !== undefined && { authorization: token }),
  ...(allowed && { allowed_tools: allowed }),
  require_approval: "never",
});

/** Reads the call of a server's tool from an `mcp_call` item. */
export function readMcpCall(
  { id, name, server_label: server, arguments: args, output, error }: JsonObject,
): ServerCall {
  return {
    kind: "mcp",
    ...(text(id) && { id: text(id) }),
    tool: { server: text(server) ?? "", name: text(name) ?? "" },
    input: parseObject(text(args) ?? "") ?? {},
    ...(error == null ? { output: text(output) ?? "" } : { error: wordsOf(error) }),
  };
}

function wordsOf(error: unknown): string {
  const { message, content } = object(error) ?? {};
  return text(error) ?? text(message) ?? JSON.stringify(content ?? error);
}

/** Earlier calls, as items if the call still offers their server. */
export const servedForm = ({ settings }: Call, maker: string): ServedForm => ({
  isKept: ({ thoughts }) =>
    thoughts.some((thought) => thought.format === maker && sealedItem(thought)?.type === "mcp_call"),
  write(served) {
    if (!isOffered(settings, served)) return undefined;
    const id = `mcp_${served.id!.replace(/^mcp(?:toolu)?_/, "").replace(/\W/g, "_").slice(-MOST_ID)}`;
    return [{
      type: "native",
      value: { ...mcpItem(id, served), server_label: labelOf(served.tool!.server) },
      path: served.path,
    }];
  },
});

/** The most characters of an id behind its prefix. OpenAI's are shorter. */
const MOST_ID = 56;

/** Writes a call as an item. */
export const mcpItem = (id: string, { tool, input, output, error }: ServerCall): JsonObject => ({
  id,
  type: "mcp_call",
  status: error === undefined ? "completed" : "failed",
  server_label: tool?.server ?? "",
  name: tool?.name ?? "",
  arguments: JSON.stringify(input),
  approval_request_id: null,
  output: output ?? null,
  error: error === undefined
    ? null
    : { type: "mcp_tool_execution_error", content: [{ type: "text", text: error }] },
});
