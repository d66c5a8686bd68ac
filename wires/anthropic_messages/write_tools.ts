/** Anthropic Messages, the provider's half: writes the tools of a request. */
import { isObject, list } from "../shared/json.ts";
import { customAsFunction } from "../shared/tools.ts";
import type { Call, JsonObject, Tool } from "../types.ts";
import type { Draft } from "./draft.ts";
import { writeServer } from "./mcp.ts";
import { writeServerTool } from "./server_tools.ts";
import { withoutRoot } from "./strict_limits.ts";

/** Writes the tools in the client's order. */
export function writeTools(tools: Tool[], draft: Draft, call: Call): void {
  if (tools.length > 0) {
    draft.body.tools = [...tools.map((tool) => writeTool(tool, draft, call)), ...list(draft.body.tools)];
  }
}

function writeTool(tool: Tool, draft: Draft, call: Call): JsonObject {
  const { dropped, enforced, marks } = draft;
  const mark = `${tool.path}.cache_control`;
  if (tool.type === "custom") return writeTool(customAsFunction(tool, dropped), draft, call);
  if (tool.type === "mcp") {
    const [server, toolset] = writeServer(tool);
    draft.servers.push(server);
    return toolset;
  }
  if (tool.type !== "function") {
    const isOwn = tool.type === "native" || call.wire === "anthropic";
    const value = isOwn ? tool.value : writeServerTool(tool, draft.model, dropped);
    const { strict, input_schema } = value;
    if (strict === true && isObject(input_schema)) enforced.native.push(input_schema);
    if (value.cache_control == null) return value;
    const copy = { ...value };
    marks.set(copy, mark);
    return copy;
  }
  const { name, description, parameters, strict, cache, extra, definitionPath, parametersPath } = tool;
  const out: JsonObject = { name };
  if (description !== undefined) out.description = description;
  const folded: string[] = [];
  out.input_schema = withoutRoot(parameters ?? {}, parametersPath, folded);
  dropped.push(...folded);
  if (strict !== undefined) out.strict = strict;
  // What moved into the description cannot be enforced.
  if (strict) enforced.tools.push({ tool: out, definitionPath, parametersPath, folded: folded.length > 0 });
  Object.assign(out, extra);
  if (cache !== undefined) {
    out.cache_control = cache;
    marks.set(out, mark);
  }
  return out;
}
