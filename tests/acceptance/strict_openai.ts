/** OpenAI-compatible providers as far as they refuse messages, in their own words where they are known. */
import { type Asked, events, type Json, sse } from "./lab.ts";

interface Turn {
  text?: string;
  calls?: { id: string; name: string; args: Json }[];
}

interface Rules {
  ids: RegExp;
  roles: string[];
  /** Absent for a provider that takes any member. */
  members?: Record<string, string[]>;
}

/** By host. */
const RULES: Record<string, Rules> = {
  "api.openai.com": { ids: /^.{0,40}$/, roles: ["developer", "system", "user", "assistant", "tool"] },
  "api.mistral.ai": {
    ids: /^[a-zA-Z0-9]{9}$/,
    roles: ["system", "user", "assistant", "tool"],
    members: {
      system: [],
      user: [],
      assistant: ["tool_calls", "prefix"],
      tool: ["tool_call_id", "name"],
    },
  },
  "api.groq.com": {
    ids: /^/,
    roles: ["developer", "system", "user", "assistant", "tool"],
    members: {
      developer: ["name"],
      system: ["name"],
      user: ["name"],
      assistant: ["name", "tool_calls", "reasoning", "function_call"],
      tool: ["tool_call_id"],
    },
  },
  "api.deepseek.com": { ids: /^/, roles: ["system", "user", "assistant", "tool"] },
};

export function strictOpenAI(turns: Turn[]) {
  let turn = 0;
  const play = (asked: Asked): Response => {
    const message = check(asked);
    if (message) {
      return Response.json({ error: { message, type: "invalid_request_error", param: null, code: null } }, {
        status: 400,
      });
    }
    const { text, calls } = turns[turn++ % turns.length];
    const tool_calls = calls?.map(({ id, name, args }, index) => ({
      index,
      id,
      type: "function",
      function: { name, arguments: JSON.stringify(args) },
    }));
    const said = { role: "assistant", content: text ?? null, ...(tool_calls && { tool_calls }) };
    const finish_reason = calls ? "tool_calls" : "stop";
    const head = { id: "chatcmpl-1", created: 1, model: "m" };
    if (!asked.body.stream) {
      return Response.json({ ...head, choices: [{ index: 0, message: said, finish_reason }] });
    }
    return events(sse([
      { ...head, choices: [{ index: 0, delta: said, finish_reason: null }] },
      { ...head, choices: [{ index: 0, delta: {}, finish_reason }] },
      "[DONE]",
    ]));
  };
  return { play, check };
}

function check({ url, body }: Asked): string | undefined {
  const { ids, roles, members } = RULES[url.host];
  let pending: unknown[] = [];
  for (const [at, message] of (body.messages as Json[]).entries()) {
    const here = `messages[${at}]`;
    if (!roles.includes(message.role as string)) return `${here}.role: unknown variant \`${message.role}\``;
    const taken = members && ["role", "content", ...members[message.role as string]];
    const stray = taken && Object.keys(message).find((name) => !taken.includes(name));
    if (stray) return `'${here}' : property '${stray}' is unsupported`;
    if (message.role === "tool") {
      if (!pending.includes(message.tool_call_id)) return `${here}: no call ${message.tool_call_id}`;
      pending = pending.filter((id) => id !== message.tool_call_id);
      continue;
    }
    if (pending.length > 0) return "An assistant message with 'tool_calls' must be followed by tool messages";
    for (const call of (message.tool_calls ?? []) as Json[]) {
      if (!ids.test(call.id as string)) return `Invalid '${here}.tool_calls[0].id': ${call.id}`;
      const more = members &&
        Object.keys(call).find((name) => !["id", "type", "function", "index"].includes(name));
      if (more) return `${here}.tool_calls[0].${more}: Extra inputs are not permitted`;
      pending.push(call.id);
    }
  }
  if (new Set(pending).size > 0) {
    return "An assistant message with 'tool_calls' must be followed by tool messages";
  }
}
