/**
 * OpenAI's Responses, the client's half: reads tools into neutral ones, and records how the client offered them.
 *
 * Namespaces are flattened, because no other API has them: the model knows `{namespace: "mcp__x", name: "y"}` as
 * `mcp__x__y`. Tools that the client runs itself and that only OpenAI defines (`shell`, `apply_patch`, `tool_search` …)
 * become functions.
 *
 * Checked against `openai` 7.59 types, 2026-11.
 */
import { isObject, list, object, objects } from "../shared/json.ts";
import { fault, need, needObject } from "../shared/faults.ts";
import { digest } from "../shared/tool_id.ts";
import { flatName } from "../shared/tool_names.ts";
import type { CustomTool, FunctionTool, JsonObject, ServerTool, Tool, ToolChoice } from "../types.ts";
import type { Offer } from "./form.ts";
import { readMcpTool } from "./mcp.ts";

/** Parameters of the tools that OpenAI defines and clients run, as OpenAI's calls of them have them. */
const SCHEMAS: Readonly<Record<"shell" | "local_shell" | "apply_patch" | "tool_search", JsonObject>> = {
  shell: {
    type: "object",
    properties: {
      commands: { type: "array", items: { type: "string" }, description: "Shell commands to run" },
      timeout_ms: { type: "integer", description: "Milliseconds after which they are stopped" },
      max_output_length: { type: "integer", description: "Characters of output to return" },
    },
    required: ["commands"],
  },
  local_shell: {
    type: "object",
    properties: {
      command: { type: "array", items: { type: "string" }, description: "The program and its arguments" },
      working_directory: { type: "string" },
      timeout_ms: { type: "integer", description: "Milliseconds after which it is stopped" },
      env: { type: "object", additionalProperties: { type: "string" } },
    },
    required: ["command"],
  },
  apply_patch: {
    type: "object",
    properties: {
      operation: {
        type: "object",
        properties: {
          type: { type: "string", enum: ["create_file", "update_file", "delete_file"] },
          path: { type: "string" },
          diff: {
            type: "string",
            description:
              "For create_file and update_file: the change as a V4A diff, whose lines begin with " +
              "a space (context), + (added) or - (removed), in sections that begin with @@",
          },
        },
        required: ["type", "path"],
      },
    },
    required: ["operation"],
  },
  tool_search: { type: "object", properties: { query: { type: "string" } }, required: ["query"] },
};

const DESCRIPTIONS: Readonly<Record<string, string>> = {
  shell: "Runs shell commands and returns what they print.",
  local_shell: "Runs a program and returns what it prints.",
  apply_patch: "Creates, changes or deletes a file.",
  tool_search: "Finds tools that can be called after it.",
};

/** The tools of a request. */
export interface ReadTools {
  tools: Tool[];
  offers: Map<string, Offer>;
  /** The name under which the model knows one of the client's tools. */
  nameOf(name: string, namespace?: unknown): string;
}

/**
 * Makes a list of tools that grows: first the `tools` of the body, then those that its input adds.
 *
 * @param dropped Takes the client's paths of what is left out.
 */
export function toolList(dropped: string[]): ReadTools & { add(value: unknown, path: string): void } {
  const tools: Tool[] = [];
  const offers = new Map<string, Offer>();
  /** The model's names, by namespace and name. */
  const names = new Map<string, string>();

  const nameOf = (name: string, namespace?: unknown): string =>
    names.get(keyOf(name, namespace)) ??
      (typeof namespace === "string" && namespace !== "" ? flatName(namespace, name) : name);

  /** @returns The model's name for a new tool; `undefined` for a tool that was offered before. */
  function offer(kind: Offer["kind"], name: string, namespace?: string): string | undefined {
    const key = keyOf(name, namespace);
    if (names.has(key)) return undefined;
    let known = namespace === undefined ? name : flatName(namespace, name);
    if (offers.has(known)) known = flatName(digest(key), name);
    names.set(key, known);
    offers.set(known, { kind, name, ...(namespace !== undefined && { namespace }) });
    return known;
  }

  function addFunction(tool: JsonObject, path: string, namespace?: string, preface?: string): void {
    const name = offer("function", need(tool.name, `${path}.name`), namespace);
    if (name === undefined) return;
    for (const member in tool) {
      if (!FUNCTION_MEMBERS.has(member) && tool[member] != null) dropped.push(`${path}.${member}`);
    }
    tools.push(readFunction(name, tool, path, preface));
  }

  function addCustom(tool: JsonObject, path: string, namespace?: string, preface?: string): void {
    const name = offer("custom", need(tool.name, `${path}.name`), namespace);
    if (name === undefined) return;
    const read: CustomTool = {
      type: "custom",
      name,
      description: describe(tool, path, preface),
      format: readGrammar(tool.format, `${path}.format`),
      path,
      formatPath: `${path}.format`,
    };
    tools.push(read);
  }

  function addNamespace(tool: JsonObject, path: string): void {
    const namespace = need(tool.name, `${path}.name`);
    // No other API has a description of a namespace, so the first of its tools has it.
    let preface = typeof tool.description === "string" && tool.description !== ""
      ? `[${namespace}: ${tool.description}]`
      : undefined;
    for (const [at, member] of list(tool.tools).entries()) {
      const memberPath = `${path}.tools[${at}]`;
      if (!isObject(member)) throw fault(memberPath, "object", member);
      if (member.type === "custom") addCustom(member, memberPath, namespace, preface);
      else addFunction(member, memberPath, namespace, preface);
      preface = undefined;
    }
  }

  /** Adds a tool that OpenAI defines and the client runs. */
  function addOwn(kind: keyof typeof SCHEMAS, tool: JsonObject, path: string): void {
    const name = offer(kind, kind);
    if (name === undefined) return;
    tools.push(readOwn(kind, name, tool, path));
  }

  function addOne(tool: JsonObject, path: string): void {
    switch (tool.type) {
      case "function":
        // Some clients send the form of chat completions.
        return addFunction(isObject(tool.function) ? { ...tool.function } : tool, path);
      case "custom":
        return addCustom(isObject(tool.custom) ? { ...tool.custom } : tool, path);
      case "namespace":
        return addNamespace(tool, path);
      case "tool_search":
        // If OpenAI would search for tools, the model is offered all of them instead.
        return tool.execution === "client" ? addOwn("tool_search", tool, path) : undefined;
      case "shell": {
        const { type } = object(tool.environment) ?? {};
        if (type === undefined || type === "local") return addOwn("shell", tool, path);
        break;
      }
      case "local_shell":
      case "apply_patch":
        return addOwn(tool.type, tool, path);
      case "code_interpreter":
        return void tools.push(readServer("code_execution", tool, path));
      case "mcp": {
        const server = readMcpTool(tool, path, dropped);
        if (server) return void tools.push(server);
      }
    }
    if (typeof tool.type === "string" && tool.type.startsWith("web_search")) {
      return void tools.push(readServer("web_search", tool, path));
    }
    dropped.push(path);
  }

  return {
    tools,
    offers,
    nameOf,
    add(value, path) {
      for (const [at, tool] of list(value).entries()) {
        if (!isObject(tool)) throw fault(`${path}[${at}]`, "object", tool);
        addOne(tool, `${path}[${at}]`);
      }
    },
  };
}

function readFunction(name: string, tool: JsonObject, path: string, preface?: string): FunctionTool {
  const { parameters, strict } = tool;
  return {
    type: "function",
    name,
    description: describe(tool, path, preface),
    parameters: parameters == null ? undefined : needObject(parameters, `${path}.parameters`),
    strict: typeof strict === "boolean" ? strict : undefined,
    path,
    definitionPath: path,
    parametersPath: `${path}.parameters`,
    extra: {},
  };
}

function readOwn(kind: keyof typeof SCHEMAS, name: string, tool: JsonObject, path: string): FunctionTool {
  return {
    type: "function",
    name,
    description: typeof tool.description === "string" ? tool.description : DESCRIPTIONS[kind],
    parameters: object(tool.parameters) ?? SCHEMAS[kind],
    path,
    definitionPath: path,
    parametersPath: `${path}.parameters`,
    extra: {},
    kind,
  };
}

function readServer(kind: ServerTool["kind"], tool: JsonObject, path: string): ServerTool {
  const read: ServerTool = { type: "server", kind, value: tool, path };
  const { allowed_domains, blocked_domains } = object(tool.filters) ?? {};
  const location = object(tool.user_location);
  const contextSize = tool.search_context_size;
  if (kind === "web_search") {
    read.search = {
      ...(Array.isArray(allowed_domains) && { allowedDomains: texts(allowed_domains) }),
      ...(Array.isArray(blocked_domains) && { blockedDomains: texts(blocked_domains) }),
      ...(location && { location }),
      ...(typeof contextSize === "string" && { contextSize }),
    };
  }
  return read;
}

/** Members of a function that are read, or that mean nothing to a model that is offered every tool. */
const FUNCTION_MEMBERS: ReadonlySet<string> = new Set([
  "defer_loading",
  "description",
  "name",
  "parameters",
  "strict",
  "type",
]);

/**
 * Reads the format of a custom tool: `{type: "grammar", syntax, definition}`, or the nested form of chat completions.
 */
function readGrammar(value: unknown, path: string): CustomTool["format"] {
  if (!isObject(value)) return undefined;
  if (value.type !== "grammar") return { type: "text" };
  const grammar = object(value.grammar) ?? value;
  return {
    type: "grammar",
    syntax: need(grammar.syntax, `${path}.syntax`),
    definition: need(grammar.definition, `${path}.definition`),
  };
}

const texts = (values: unknown[]): string[] => values.filter((value) => typeof value === "string");

const keyOf = (name: string, namespace: unknown): string =>
  typeof namespace === "string" && namespace !== "" ? `${namespace}\n${name}` : name;

function describe(
  { description }: JsonObject,
  path: string,
  preface: string | undefined,
): string | undefined {
  const own = description == null ? undefined : need(description, `${path}.description`);
  return preface === undefined ? own : own === undefined ? preface : `${preface}\n${own}`;
}

// ---------------------------------------------------------------- which of them

export interface Choice {
  choice?: ToolChoice;
  /** The tools that the model may call, by the model's names. */
  allowed?: string[];
}

/** Reads `tool_choice`. The choice of a tool that only OpenAI has is left out and named. */
export function readToolChoice(value: unknown, { nameOf, offers }: ReadTools, dropped: string[]): Choice {
  if (value === "none" || value === "auto" || value === "required") return { choice: value };
  if (!isObject(value)) throw fault("tool_choice", '"none", "auto", "required" or an object', value);
  if (value.type === "allowed_tools") {
    const allowed: string[] = [];
    for (const [at, tool] of list(value.tools).entries()) {
      const name = isObject(tool) ? chosen(tool, nameOf) : undefined;
      if (name !== undefined && offers.has(name)) allowed.push(name);
      else dropped.push(`tool_choice.tools[${at}]`);
    }
    const choice = value.mode === "required" ? "required" : "auto";
    if (allowed.length > 0) return { choice, allowed };
    if (choice === "required") dropped.push("tool_choice.mode");
    return { choice: "none" }; // The list names no tool that is offered.
  }
  const name = chosen(value, nameOf);
  if (name !== undefined) return { choice: { name } };
  dropped.push("tool_choice");
  return {};
}

function chosen(tool: JsonObject, nameOf: ReadTools["nameOf"]): string | undefined {
  const named = object(tool.function) ?? object(tool.custom) ?? tool;
  if (typeof named.name === "string") return nameOf(named.name, named.namespace);
  const { type } = tool;
  return type === "shell" || type === "local_shell" || type === "apply_patch" || type === "tool_search"
    ? type
    : undefined;
}

/** The names of the tools in a list, including those in namespaces, for a model to read. */
export function toolNames(value: unknown, nameOf: ReadTools["nameOf"]): string[] {
  return objects(value).flatMap((tool) => {
    if (tool.type === "namespace") {
      return objects(tool.tools).map(({ name }) => nameOf(String(name), tool.name));
    }
    return typeof tool.name === "string" ? [nameOf(tool.name)] : [];
  });
}
