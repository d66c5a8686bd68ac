/**
 * Anthropic Messages, the tools that Anthropic runs itself: writes tools of other wires as Anthropic's, and reads their
 * calls from an answer.
 *
 * Checked against `@anthropic-ai/sdk` 1.14.0 and the web search and code execution pages of platform.claude.com,
 * 2026-11.
 *
 * @see https://platform.claude.com/docs/en/agents-and-tools/tool-use/server-tools
 */
import type { ClaudeModel } from "../shared/claude_models.ts";
import { isObject, object, objects, text } from "../shared/json.ts";
import { placeOf, unsaidMembers } from "../shared/tools.ts";
import type { JsonObject, SearchTerms, ServerCall, ServerTool, ServerToolKind } from "../types.ts";

/** The versions that every model accepts, and those since Claude 4.6, which filter their results by code. */
const VERSIONS: Readonly<Record<ServerToolKind, { first: string; since46: string }>> = {
  code_execution: { first: "code_execution_20250825", since46: "code_execution_20260120" },
  web_fetch: { first: "web_fetch_20250910", since46: "web_fetch_20260318" },
  web_search: { first: "web_search_20250305", since46: "web_search_20260318" },
};

const TAKES: Readonly<Record<ServerToolKind, readonly (keyof SearchTerms)[]>> = {
  code_execution: [],
  web_fetch: ["allowedDomains", "blockedDomains", "maxUses"],
  web_search: ["allowedDomains", "blockedDomains", "location", "maxUses"],
};

/** Writes a server tool that a client of another wire offered. */
export function writeServerTool(tool: ServerTool, model: ClaudeModel, dropped: string[]): JsonObject {
  const { kind, search = {} } = tool;
  const { first, since46 } = VERSIONS[kind];
  const out: JsonObject = { type: model.thinking === "adaptive" ? since46 : first, name: kind };
  const takes = TAKES[kind];
  const says = (term: keyof SearchTerms) => takes.includes(term) && search[term] !== undefined;
  if (says("allowedDomains")) out.allowed_domains = search.allowedDomains;
  if (says("blockedDomains")) out.blocked_domains = search.blockedDomains;
  if (says("location")) out.user_location = placeOf(search);
  if (says("maxUses")) out.max_uses = search.maxUses;
  dropped.push(...unsaidMembers(tool, takes));
  return out;
}

// ---------------------------------------------------------------- calls in an answer

/** The kind of tool, by the name of its `server_tool_use` block. */
const KINDS: ReadonlyMap<unknown, ServerToolKind> = new Map<unknown, ServerToolKind>([
  ["bash_code_execution", "code_execution"],
  ["code_execution", "code_execution"],
  ["text_editor_code_execution", "code_execution"],
  ["web_fetch", "web_fetch"],
  ["web_search", "web_search"],
]);

/** Pairs the calls of Anthropic's own tools in an answer with their results. */
export function serverCallReader(take: (call: ServerCall) => void): (block: JsonObject) => void {
  const waiting = new Map<unknown, { kind: ServerToolKind; input: JsonObject }>();
  return (block) => {
    if (block.type === "server_tool_use") {
      const kind = KINDS.get(block.name);
      if (kind) waiting.set(block.id, { kind, input: object(block.input) ?? {} });
      return;
    }
    const asked = waiting.get(block.tool_use_id);
    if (!asked) return;
    waiting.delete(block.tool_use_id);
    take({ ...asked, id: text(block.tool_use_id), ...readResult(block.content) });
  };
}

function readResult(content: unknown): Pick<ServerCall, "results" | "output" | "error"> {
  if (Array.isArray(content)) return { results: objects(content).map(readSource) };
  if (!isObject(content)) return {};
  const { error_code, url, stdout, stderr } = content;
  if (text(error_code)) return { error: text(error_code) };
  if (text(url)) return { results: [readSource({ url, title: object(content.content)?.title })] };
  if (stdout === undefined && stderr === undefined) return {};
  return { output: `${text(stdout) ?? ""}${text(stderr) ?? ""}` };
}

const readSource = ({ url, title }: JsonObject) => ({ url: text(url) ?? "", title: text(title) ?? "" });
