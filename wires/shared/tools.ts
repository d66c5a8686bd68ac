/**
 * Tools of one wire in the terms of another: custom tools (free text) as functions, and the tools that a provider runs.
 */
import { isObject, object, parseObject } from "./json.ts";
import type { Call, CustomTool, FunctionTool, SearchTerms, ServerTool, ToolCall } from "../types.ts";

// ---------------------------------------------------------------- free text as a function

/**
 * A custom tool as a function with one text argument, `input`, for a target that has only functions. A grammar becomes
 * part of the description, as such a target cannot enforce it.
 *
 * @param dropped Takes the client's path of a grammar.
 */
export function customAsFunction(tool: CustomTool, dropped: string[]): FunctionTool {
  const { name, description, format, cache, path, formatPath } = tool;
  const words = description ? [description] : [];
  if (format?.type === "grammar") {
    dropped.push(formatPath);
    const syntax = format.syntax === "regex" ? "regular expression" : `${format.syntax} grammar`;
    words.push(`The input must match this ${syntax}:\n${format.definition}`);
  }
  return {
    type: "function",
    name,
    description: words.length > 0 ? words.join("\n\n") : undefined,
    parameters: {
      type: "object",
      properties: { input: { type: "string", description: "The tool's input, as plain text." } },
      required: ["input"],
      additionalProperties: false,
    },
    cache,
    path,
    definitionPath: path,
    parametersPath: path,
    extra: {},
  };
}

/**
 * The arguments of a tool call as JSON text. The input of a custom tool is written as the argument of the function that
 * `customAsFunction` made.
 */
export const functionArguments = (
  { arguments: text, custom }: Pick<ToolCall, "arguments" | "custom">,
): string => custom ? JSON.stringify({ input: text }) : text || "{}";

/** The names of the custom tools that the client offered; `undefined` if there are none. */
export function customNames({ settings: { tools } }: Call): ReadonlySet<string> | undefined {
  let names: Set<string> | undefined;
  for (const tool of tools ?? []) if (tool.type === "custom") (names ??= new Set()).add(tool.name);
  return names;
}

// ---------------------------------------------------------------- free text out of arguments

/** Reads the free text out of a tool call's arguments while they stream. */
export interface InputReader {
  /** @returns The text that is certain so far and was not returned before; may be empty. */
  push(piece: string): string;
  /** @returns The rest of the text, once the arguments have ended. */
  end(): string;
}

/**
 * The start of arguments whose text is a member, e.g. `{"input": "`. Models write `patch` for tools that apply a patch.
 */
const INPUT = /^\s*\{\s*"(?:input|patch)"\s*:\s*"/;
/** Matches a start that may still become one that `INPUT` matches, e.g. `{"inp`. */
const BEGINS =
  /^\s*(?:\{\s*(?:"(?:i(?:n(?:p(?:ut?)?)?)?|p(?:a(?:t(?:ch?)?)?)?)?|"(?:input|patch)"\s*:?\s*)?)?$/;

/**
 * The most characters before the text. Without a limit, a model that writes blanks forever would cost a match each
 * time.
 */
const MOST_BEFORE = 1000;

const ESCAPED: ReadonlyMap<string, string> = new Map([
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ['"', '"'],
  ["/", "/"],
  ["\\", "\\"],
]);

/**
 * Reads the text of `{"input": "…"}` out of pieces that may be cut anywhere, even inside an escape.
 *
 * Arguments of any other form are returned when they have ended. From an object with a text `input` or `patch` that
 * member is returned, from an empty object nothing, and anything else as the model wrote it.
 */
export function inputReader(): InputReader {
  /** The unread rest: an escape that is cut, or everything so far until it is known whether the text begins. */
  let rest = "";
  let state: "before" | "inside" | "other" | "after" = "before";
  const held: string[] = [];

  function begin(): void {
    const head = INPUT.exec(rest);
    if (head) {
      state = "inside";
      rest = rest.slice(head[0].length);
    } else if (rest.length > MOST_BEFORE || !BEGINS.test(rest)) {
      state = "other";
      held.push(rest);
      rest = "";
    }
  }

  return {
    push(piece) {
      if (state === "after") return "";
      if (state === "other") {
        held.push(piece);
        return "";
      }
      rest += piece;
      if (state === "before") begin();
      if (state !== "inside") return "";
      const { text, next, isClosed } = unescape(rest);
      rest = rest.slice(next);
      if (isClosed) state = "after";
      return text;
    },
    end() {
      if (state === "after") return "";
      const isCut = state === "inside";
      state = "after";
      return isCut ? unescape(rest, true).text : otherInput(held.join("") + rest);
    },
  };
}

/** The free text of a tool call whose arguments are complete. */
export function readInput(argumentText: string): string {
  const reader = inputReader();
  return reader.push(argumentText) + reader.end();
}

function otherInput(whole: string): string {
  const value = parseObject(whole);
  if (!value) return whole;
  if (Object.keys(value).length === 0) return "";
  const text = value.input ?? value.patch;
  return typeof text === "string" ? text : whole;
}

/**
 * Decodes a JSON string up to its closing quote, or as far as it is certain. An unknown escape stays as it is.
 *
 * @param isLast Nothing follows: a lone half of a surrogate pair is returned too.
 * @returns `next` is the index at which to continue.
 */
function unescape(json: string, isLast = false): { text: string; next: number; isClosed: boolean } {
  let text = "";
  let at = 0;
  while (at < json.length) {
    const plain = at;
    while (at < json.length && json[at] !== '"' && json[at] !== "\\") at++;
    text += json.slice(plain, at);
    if (at === json.length) break;
    if (json[at] === '"') return { text, next: at + 1, isClosed: true };
    const escape = json[at + 1];
    if (escape === undefined) break;
    if (escape === "u") {
      const hex = json.slice(at + 2, at + 6);
      if (hex.length < 4 && /^[\da-f]*$/i.test(hex)) break;
      const isHex = /^[\da-f]{4}$/i.test(hex);
      const code = parseInt(hex, 16);
      // The second half of the surrogate pair is in the next piece.
      if (isHex && isHigh(code) && !isLast && json.length < at + 12 && PAIR.test(json.slice(at + 6))) break;
      text += isHex ? String.fromCharCode(code) : "\\u";
      at += isHex ? 6 : 2;
    } else {
      text += ESCAPED.get(escape) ?? `\\${escape}`;
      at += 2;
    }
  }
  // Half a surrogate pair is kept back: encoded alone, it would become a replacement character.
  if (
    !isLast && at === json.length && isHigh(text.charCodeAt(text.length - 1)) &&
    isHigh(json.charCodeAt(at - 1))
  ) {
    return { text: text.slice(0, -1), next: at - 1, isClosed: false };
  }
  return { text, next: at, isClosed: false };
}

const isHigh = (code: number) => code >= 0xd800 && code <= 0xdbff;
/** Matches what may still become the escape of a second half, e.g. `\ud`. */
const PAIR = /^(?:\\(?:u[\da-f]{0,3})?)?$/i;

// ---------------------------------------------------------------- what a provider runs itself

/** The members of a tool in which clients write search terms, and the terms that each holds. */
const SEARCH_MEMBERS: ReadonlyMap<string, readonly (keyof SearchTerms)[]> = new Map([
  ["allowed_domains", ["allowedDomains"]],
  ["blocked_domains", ["blockedDomains"]],
  ["filters", ["allowedDomains", "blockedDomains"]],
  ["max_uses", ["maxUses"]],
  ["search_context_size", ["contextSize"]],
  ["user_location", ["location"]],
]);

/**
 * The client's paths of members of a server tool that the target cannot express.
 *
 * @param takes The search terms that the target can express.
 */
export function unsaidMembers(
  { search = {}, value, path }: ServerTool,
  takes: readonly (keyof SearchTerms)[] = [],
): string[] {
  return Object.keys(value).filter((member) => {
    if (member === "type" || member === "name" || isNothing(value[member])) return false;
    if (AS_USUAL.has(member) && AS_USUAL.get(member) === value[member]) return false;
    const terms = SEARCH_MEMBERS.get(member)?.filter((term) => search[term] !== undefined);
    return !terms || terms.length === 0 || terms.some((term) => !takes.includes(term));
  }).map((member) => `${path}.${member}`);
}

/** Members of OpenAI's search, each with the value that asks for what every search does. */
const AS_USUAL: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ["external_web_access", true],
  ["index_gated_web_access", false],
  ["search_context_size", "medium"],
]);

const isNothing = (value: unknown) =>
  value === null || value === undefined || Array.isArray(value) && value.length === 0 ||
  isObject(value) && Object.keys(value).length === 0;

/** The user's location as OpenAI and Anthropic write it: `{type: "approximate", city, region, country, timezone}`. */
export function placeOf(search: SearchTerms | undefined): { [member: string]: unknown } | undefined {
  const location = object(search?.location);
  if (!location) return undefined;
  const { city, region, country, timezone } = location;
  return { type: "approximate", city, region, country, timezone };
}
