/**
 * Anthropic Messages, servers of tools (MCP) that Anthropic calls itself. `mcp_servers` has their URLs, and a tool of
 * type `mcp_toolset` says which of their tools the model may call. Calls and results are blocks of the answer.
 *
 * Checked against the betas of `@anthropic-ai/sdk` 1.14.0, 2026-11.
 *
 * @see https://platform.claude.com/docs/en/agents-and-tools/mcp-connector
 */
import { isObject, list, object, objects, text } from "../shared/json.ts";
import { isOffered, type ServedForm } from "../shared/served_calls.ts";
import type { Call, JsonObject, McpServer, ServerCall } from "../types.ts";
import { unseal as sealedBlock } from "./write_answered.ts";

/** The name of the beta with toolsets. */
export const MCP_BETA = "mcp-client-2025-11-20";

// ---------------------------------------------------------------- as the client's half reads them

/**
 * Reads a toolset. `undefined` if its server is not listed, or if other APIs cannot enforce its terms: a list of tools
 * that must not be called.
 */
export function readToolset(tool: JsonObject, servers: unknown, path: string): McpServer | undefined {
  const label = text(tool.mcp_server_name);
  const server = objects(servers).find(({ name }) => name === label);
  if (label === undefined || !server) return undefined;
  const configs = Object.entries(object(tool.configs) ?? {});
  const isOpen = object(tool.default_config)?.enabled !== false;
  const says = (enabled: boolean) => configs.filter(([, config]) => object(config)?.enabled === enabled);
  if (isOpen && says(false).length > 0) return undefined;
  return readServer(server, isOpen ? undefined : says(true).map(([name]) => name), tool, path);
}

/** Reads servers that list their allowed tools themselves, as they did before toolsets existed. */
export function readServers(servers: unknown, tools: unknown, dropped: string[]): McpServer[] {
  const named = new Set(objects(tools).map(({ mcp_server_name: name }) => name));
  const all = list(servers);
  return all.flatMap((server, at): McpServer[] => {
    if (!isObject(server) || named.has(server.name)) return [];
    const { enabled, allowed_tools: allowed } = object(server.tool_configuration) ?? {};
    const names = Array.isArray(allowed) ? allowed.filter((name) => typeof name === "string") : undefined;
    const path = `mcp_servers[${at}]`;
    const read = enabled === false || server.tool_configuration == null
      ? undefined
      : readServer(server, names, server, path);
    if (!read) dropped.push(all.length > 1 ? path : "mcp_servers");
    return read ? [read] : [];
  });
}

function readServer(
  { name, url, authorization_token: token }: JsonObject,
  allowed: string[] | undefined,
  value: JsonObject,
  path: string,
): McpServer | undefined {
  const label = text(name), address = text(url);
  if (label === undefined || address === undefined) return undefined;
  return {
    type: "mcp",
    label,
    url: address,
    ...(text(token) && { token: text(token) }),
    ...(allowed && { allowed }),
    value,
    path,
  };
}

// ---------------------------------------------------------------- as the provider's half writes them

/** Writes a server as a member of `mcp_servers`, and its toolset. */
export function writeServer(
  { label, url, token, allowed }: McpServer,
): [server: JsonObject, tool: JsonObject] {
  const server: JsonObject = { type: "url", name: label, url };
  if (token !== undefined) server.authorization_token = token;
  const tool: JsonObject = { type: "mcp_toolset", mcp_server_name: label };
  if (allowed) {
    tool.default_config = { enabled: false };
    tool.configs = Object.fromEntries(allowed.map((name) => [name, { enabled: true }]));
  }
  return [server, tool];
}

/** Pairs the calls of servers' tools in an answer with their results. */
export function mcpCallReader(take: (call: ServerCall) => void): (block: JsonObject) => void {
  const waiting = new Map<unknown, ServerCall>();
  return (block) => {
    const { id, tool_use_id: useId } = block;
    if (block.type === "mcp_tool_use") return void waiting.set(id, readMcpUse(block));
    const call = block.type === "mcp_tool_result" ? waiting.get(useId) : undefined;
    if (!call) return;
    waiting.delete(useId);
    take({ ...call, ...readMcpResult(block) });
  };
}

/** Reads the block of a call. */
export const readMcpUse = ({ id, server_name: server, name, input }: JsonObject): ServerCall => ({
  kind: "mcp",
  id: text(id),
  tool: { server: text(server) ?? "", name: text(name) ?? "" },
  input: object(input) ?? {},
});

/** Reads the block of a call's result. */
export function readMcpResult({ content, is_error }: JsonObject): Pick<ServerCall, "output" | "error"> {
  const said = typeof content === "string"
    ? content
    : objects(content).flatMap((part) => text(part.text) ?? []).join("\n");
  return is_error === true ? { error: said || "failed" } : { output: said };
}

/** Earlier calls of servers' tools, as blocks if the call still offers the server. */
export const servedForm = ({ settings }: Call): ServedForm => ({
  isKept: ({ thoughts }) => thoughts.some((thought) => isMcpBlock(sealedBlock(thought)?.type)),
  write(served) {
    if (!isOffered(settings, served)) return undefined;
    return writeMcpCall(served).map((value) => ({ type: "native", value, path: served.path }));
  },
});

const isMcpBlock = (type: unknown) => type === "mcp_tool_use" || type === "mcp_tool_result";

// ---------------------------------------------------------------- as the client's half writes their calls

/** Writes a call of a server's tool as two blocks: the call and its result. */
export function writeMcpCall({ id, tool, input, output, error }: ServerCall): [JsonObject, JsonObject] {
  const useId = `mcptoolu_${
    (id ?? JSON.stringify(input)).replace(/^mcptoolu_/, "").replace(/\W/g, "").slice(0, 48)
  }`;
  const said = error ?? output ?? "";
  return [
    { type: "mcp_tool_use", id: useId, name: tool?.name ?? "", server_name: tool?.server ?? "", input },
    {
      type: "mcp_tool_result",
      tool_use_id: useId,
      is_error: error !== undefined,
      content: said === "" ? [] : [{ type: "text", text: said, citations: null }],
    },
  ];
}
