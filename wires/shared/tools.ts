/** Tools of one wire in the terms of another: free text as a function, and what a provider runs itself. */
import { isObject, object, parseObject } from "./json.ts";
import type { Call, CustomTool, FunctionTool, SearchTerms, ServerTool, ToolCall } from "../types.ts";

// ---------------------------------------------------------------- free text as a function

/**
 * A custom tool as a function of one text, `input`, for a target that has only functions. A grammar is told in the
 * description, as nothing enforces it there.
 *
 * @param dropped Takes the path of a grammar.
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

/** The arguments of a function's call, as JSON text: those of a custom tool's call are what `customAsFunction` asks for. */
export const functionArguments = (
  { arguments: text, custom }: Pick<ToolCall, "arguments" | "custom">,
): string => custom ? JSON.stringify({ input: text }) : text || "{}";

/** Names of the custom tools that the client offered; `undefined` for none. */
export function customNames({ settings: { tools } }: Call): ReadonlySet<string> | undefined {
  let names: Set<string> | undefined;
  for (const tool of tools ?? []) if (tool.type === "custom") (names ??= new Set()).add(tool.name);
  return names;
}

// ---------------------------------------------------------------- free text out of arguments

/** Takes the free text out of a call's arguments while they stream. */
export interface InputReader {
  /** @returns The text that is certain now; may be empty. */
  push(piece: string): string;
  /** @returns What is left once the arguments have ended. */
  end(): string;
}

/** Members that hold the text; models write `patch` for tools that apply one. */
const INPUT = /^\s*\{\s*"(?:input|patch)"\s*:\s*"/;
/** What may still become the above: `{"inp`. */
const BEGINS =
  /^\s*(?:\{\s*(?:"(?:i(?:n(?:p(?:ut?)?)?)?|p(?:a(?:t(?:ch?)?)?)?)?|"(?:input|patch)"\s*:?\s*)?)?$/;

/** Characters before the text: a model that writes blanks without end is not asked at each whether it has begun. */
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
 * Reads `{"input": "…"}` out of pieces that may be cut anywhere, also inside an escape. Arguments of any other form are
 * given when they have ended: the member of that name where they are an object with one, no text for an empty object, else
 * all of them as the model wrote them.
 */
export function inputReader(): InputReader {
  /** What is not read yet: an escape that is cut, or all until it is known whether the text begins. */
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

/** The free text of whole arguments. */
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
 * The text of a JSON string up to its closing quote, or as far as it is certain. An escape that JSON does not have stays as
 * it is.
 *
 * @param isLast Nothing follows: a lone half of a surrogate pair is given too.
 * @returns `next` is where to go on.
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
      // The second half of the pair is in the next piece.
      if (isHex && isHigh(code) && !isLast && json.length < at + 12 && PAIR.test(json.slice(at + 6))) break;
      text += isHex ? String.fromCharCode(code) : "\\u";
      at += isHex ? 6 : 2;
    } else {
      text += ESCAPED.get(escape) ?? `\\${escape}`;
      at += 2;
    }
  }
  // Half of a character is not sent: alone it would be written as a replacement character.
  if (
    !isLast && at === json.length && isHigh(text.charCodeAt(text.length - 1)) &&
    isHigh(json.charCodeAt(at - 1))
  ) {
    return { text: text.slice(0, -1), next: at - 1, isClosed: false };
  }
  return { text, next: at, isClosed: false };
}

const isHigh = (code: number) => code >= 0xd800 && code <= 0xdbff;
/** What may still become the escape of a second half: `\ud`. */
const PAIR = /^(?:\\(?:u[\da-f]{0,3})?)?$/i;

// ---------------------------------------------------------------- what a provider runs itself

/** Members in which clients write search terms, and what each says. */
const SEARCH_MEMBERS: ReadonlyMap<string, readonly (keyof SearchTerms)[]> = new Map([
  ["allowed_domains", ["allowedDomains"]],
  ["blocked_domains", ["blockedDomains"]],
  ["filters", ["allowedDomains", "blockedDomains"]],
  ["max_uses", ["maxUses"]],
  ["user_location", ["location"]],
]);

/**
 * The client's paths of what it wrote in a tool of its own wire and a target's has no place for.
 *
 * @param takes The search terms that the target takes.
 */
export function unsaidMembers(
  { search = {}, value, path }: ServerTool,
  takes: readonly (keyof SearchTerms)[] = [],
): string[] {
  return Object.keys(value).filter((member) => {
    if (member === "type" || member === "name" || isNothing(value[member])) return false;
    const terms = SEARCH_MEMBERS.get(member)?.filter((term) => search[term] !== undefined);
    return !terms || terms.length === 0 || terms.some((term) => !takes.includes(term));
  }).map((member) => `${path}.${member}`);
}

const isNothing = (value: unknown) =>
  value === null || value === undefined || Array.isArray(value) && value.length === 0 ||
  isObject(value) && Object.keys(value).length === 0;

/** A search's place as OpenAI and Anthropic have it: `{type: "approximate", city, region, country, timezone}`. */
export function placeOf(search: SearchTerms | undefined): { [member: string]: unknown } | undefined {
  const location = object(search?.location);
  if (!location) return undefined;
  const { city, region, country, timezone } = location;
  return { type: "approximate", city, region, country, timezone };
}
