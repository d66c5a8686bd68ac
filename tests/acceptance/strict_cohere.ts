/**
 * Cohere's v2 chat as far as it refuses things.
 *
 * @see https://docs.cohere.com/reference/chat
 */
import { type Asked, events, type Json, sse } from "./lab.ts";

const FIELDS = new Set(
  ("citation_options documents frequency_penalty k logprobs max_tokens messages model p presence_penalty priority " +
    "raw_prompting response_format safety_mode seed stop_sequences stream strict_tools temperature thinking tool_choice " +
    "tools").split(" "),
);

interface Turn {
  thinking?: string;
  text?: string;
  calls?: { id: string; name: string; args: Json }[];
}

/** A provider that answers with these turns in order, and refuses what Cohere refuses. */
export function strictCohere(turns: Turn[]) {
  let turn = 0;
  const play = (asked: Asked): Response => {
    const fault = find(asked);
    if (fault) return Response.json({ id: "e1", message: `invalid request: ${fault}` }, { status: 400 });
    const answer = turns[turn++ % turns.length];
    return asked.body.stream
      ? events(sse(streamOf(answer), true) + "data: [DONE]\n\n")
      : Response.json(wholeOf(answer));
  };
  return { play, check: find };
}

const USAGE = {
  billed_units: { input_tokens: 5, output_tokens: 30 },
  tokens: { input_tokens: 32, output_tokens: 30 },
  cached_tokens: 7,
};
const call = ({ id, name, args }: NonNullable<Turn["calls"]>[number], text = JSON.stringify(args)) => ({
  id,
  type: "function",
  function: { name, arguments: text },
});

const wholeOf = ({ thinking, text, calls }: Turn) => ({
  id: "c1",
  message: {
    role: "assistant",
    ...((thinking || text) && {
      content: [
        ...(thinking ? [{ type: "thinking", thinking }] : []),
        ...(text ? [{ type: "text", text }] : []),
      ],
    }),
    ...(calls && { tool_calls: calls.map((one) => call(one)) }),
  },
  finish_reason: calls ? "TOOL_CALL" : "COMPLETE",
  usage: USAGE,
});

function streamOf({ thinking, text, calls = [] }: Turn): Json[] {
  const out: Json[] = [{
    type: "message-start",
    id: "c1",
    delta: { message: { role: "assistant", content: [] } },
  }];
  let index = 0;
  for (const [type, whole] of [["thinking", thinking], ["text", text]] as const) {
    if (!whole) continue;
    out.push({ type: "content-start", index, delta: { message: { content: { type, [type]: "" } } } });
    for (const piece of whole.match(/[^]{1,5}/g)!) {
      out.push({ type: "content-delta", index, delta: { message: { content: { [type]: piece } } } });
    }
    out.push({ type: "content-end", index: index++ });
  }
  calls.forEach((one, index) => {
    out.push({ type: "tool-call-start", index, delta: { message: { tool_calls: call(one, "") } } });
    for (const piece of JSON.stringify(one.args).match(/[^]{1,5}/g)!) {
      out.push({
        type: "tool-call-delta",
        index,
        delta: { message: { tool_calls: { function: { arguments: piece } } } },
      });
    }
    out.push({ type: "tool-call-end", index });
  });
  const finish_reason = calls.length > 0 ? "TOOL_CALL" : "COMPLETE";
  return [...out, { type: "message-end", delta: { finish_reason, usage: USAGE } }];
}

function find({ url, headers, body }: Asked): string | undefined {
  if (url.pathname !== "/v2/chat") return `no such path: ${url}`;
  if (headers.get("authorization") !== "Bearer key") return "invalid api token";
  const unknown = Object.keys(body).find((field) => !FIELDS.has(field));
  if (unknown) return `unknown field: parameter '${unknown}' is not a valid field`;
  if (body.response_format && ((body.tools as Json[] | undefined)?.length || body.documents)) {
    return "cannot specify response_format with tools or documents";
  }
  const messages = body.messages as Json[];
  if (!Array.isArray(messages) || messages.length === 0) return "must specify at least one message";
  const pending: string[] = [];
  for (const [at, message] of messages.entries()) {
    const { role, content, tool_calls, tool_call_id, tool_plan } = message;
    const stray = Object.keys(message).find((key) =>
      !["role", "content", "tool_calls", "tool_call_id", "tool_plan", "citations"].includes(key)
    );
    if (stray) return `messages[${at}].${stray} is not a valid field`;
    if (role === "tool") {
      const index = pending.indexOf(tool_call_id as string);
      if (index < 0) return `tool call id not found in previous tool calls: ${tool_call_id}`;
      pending.splice(index, 1);
      if (content === undefined) return "tool messages must have content";
      continue;
    }
    if (pending.length > 0) return `tool calls without results: ${pending}`;
    if (!["user", "assistant", "system"].includes(role as string)) return `invalid role ${role}`;
    const blocks = Array.isArray(content)
      ? content as Json[]
      : content
      ? [{ type: "text", text: content }]
      : [];
    if (role === "user" && blocks.length === 0) return "user messages must have content";
    const calls = (tool_calls ?? []) as { id: string; function: { arguments: string } }[];
    if (calls.length > 0 && blocks.some(({ type }) => type === "text")) {
      return "text content is not allowed when tool_calls are provided";
    }
    if (tool_plan !== undefined && calls.length === 0) return "tool_plan is only for tool calls";
    for (const { id, function: called } of calls) {
      if (typeof id !== "string" || id === "") return "tool calls must have an id";
      if (pending.includes(id)) return `duplicate tool call id: ${id}`;
      const args = parse(called.arguments);
      if (typeof args !== "object" || args === null || Array.isArray(args)) {
        return `tool call arguments must be a JSON object: ${called.arguments}`;
      }
      pending.push(id);
    }
  }
  if (pending.length > 0) return `tool calls without results: ${pending}`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
