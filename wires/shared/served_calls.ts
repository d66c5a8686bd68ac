/** Calls of servers' tools (MCP) that a provider asked by itself in earlier turns: writes them for the next provider. */
import { flatName } from "./tool_names.ts";
import { append } from "./json.ts";
import type { Call, Citation, Message, MessageOf, Part, ServedCall, Settings } from "../types.ts";

type Answer = MessageOf<"assistant">;

/** How a wire writes calls of servers' tools. */
export interface ServedForm {
  /** Whether the provider gets its own record of the message's calls back. */
  isKept(message: Answer): boolean;
  /** Writes a call in the provider's own form; `undefined` if the provider does not take it. */
  write(served: ServedCall): Part[] | undefined;
}

/**
 * The call with each call of a server's tool in the provider's own form. If the provider has none, it becomes a call of a
 * function with its result. The answer is parted there: what was said behind the call comes behind its result.
 */
export function withServed(call: Call, form?: ServedForm): Call {
  if (!call.messages.some(isServed)) return call;
  const messages = call.messages.flatMap((message): Message[] => {
    if (!isServed(message)) return [message];
    const { served, ...rest } = message;
    return form?.isKept(message) ? [rest] : part(rest, served!, form);
  });
  return { ...call, messages };
}

/** Whether the call offers the server of an earlier call. */
export const isOffered = ({ tools }: Settings, { tool }: ServedCall): boolean =>
  tools?.some((offered) => offered.type === "mcp" && offered.label === tool?.server) === true;

const isServed = (message: Message): message is Answer =>
  message.role === "assistant" && message.served !== undefined;

/** The label of a server and the name of its tool, as one name. */
export const servedName = ({ tool }: ServedCall): string => flatName(tool!.server, tool!.name);

function part(message: Answer, served: ServedCall[], form: ServedForm | undefined): Message[] {
  const { parts, calls, thoughts, citations, signature, cache, cachePath, ...rest } = message;
  const out: Message[] = [];
  let results: Message[] = [];
  /** The UTF-16 units of text in earlier pieces. */
  let base = 0;
  let piece: Answer = { ...rest, parts: [], calls: [], thoughts };

  /** Ends the piece if a call of it has a result, because nothing else can be said between the two. */
  function settle(): void {
    if (results.length === 0) return;
    close();
    out.push(...results);
    results = [];
    piece = { ...rest, parts: [], calls: [], thoughts: [] };
  }

  function close(): void {
    const units = unitsOf(piece.parts);
    const own = citations && within(citations, base, base + units);
    if (own?.length) piece.citations = own;
    base += units;
    out.push(piece);
  }

  function say(said: Part[]): void {
    if (said.length === 0) return;
    settle();
    append(piece.parts, said);
  }

  let told = 0;
  for (const one of served) {
    say(parts.slice(told, one.after));
    told = one.after;
    const own = form?.write(one);
    if (own) {
      say(own);
      continue;
    }
    const { id, input, output, error, path } = one;
    piece.calls.push({ id: id!, name: servedName(one), arguments: JSON.stringify(input), path });
    const text = error === undefined ? output ?? "" : `Error: ${error}`;
    results.push({ role: "tool", callId: id!, path, parts: [{ type: "text", text, path }] });
  }
  say(parts.slice(told));
  if (calls.length > 0) settle();
  append(piece.calls, calls);
  if (signature !== undefined) piece.signature = signature;
  if (cache !== undefined) Object.assign(piece, { cache, cachePath });
  close();
  return [...out, ...results];
}

const unitsOf = (parts: Part[]) =>
  parts.reduce((sum, part) => part.type === "text" ? sum + part.text.length : sum, 0);

/** The sources of a stretch of the text, counted from its start. */
const within = (citations: Citation[], from: number, to: number): Citation[] =>
  citations.flatMap(({ start, end, ...source }) =>
    start >= from && end <= to ? [{ ...source, start: start - from, end: end - from }] : []
  );
