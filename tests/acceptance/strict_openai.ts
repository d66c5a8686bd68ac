/** The refusals of OpenAI-compatible providers about messages, in their own words if they are known. */
import { type Asked, events, type Json, type Script, scripted, sse } from "./lab.ts";

interface Turn {
  /** What it thinks first, in `reasoning_content`. */
  think?: string;
  text?: string;
  calls?: { id: string; name: string; args: Json }[];
}

interface Rules {
  ids: RegExp;
  roles: string[];
  /** Absent if the provider accepts any member. */
  members?: Record<string, string[]>;
}

/** The rules by host. */
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
  // A server of one's own, whose template knows no developer.
  "local.test": {
    ids: /^[\w.:-]{1,64}$/,
    roles: ["system", "user", "assistant", "tool"],
    members: { system: [], user: [], assistant: ["tool_calls", "reasoning_content"], tool: ["tool_call_id"] },
  },
  "api.deepseek.com": { ids: /^/, roles: ["system", "user", "assistant", "tool"] },
};

// ---------------------------------------------------------------- OpenAI's own models

/** What each model refuses, as OpenAI's errors, types and guides had it in November 2026; by the start of its name. */
export interface ModelRules {
  reasons: boolean;
  /** The model is only served on Responses. */
  responsesOnly?: true;
  /** The values of `reasoning_effort`; empty if the field is unknown. */
  efforts: string[];
  /** One more effort, which is only accepted on Responses. */
  responsesEffort?: string;
  /** The effort if the client sends none. */
  effort: string;
  /** Sampling settings are accepted while the effort is `none`. */
  sampling?: true;
  stop?: true;
  parallel?: true;
  verbosity?: true;
  functions: "always" | "without effort" | "none only";
  noSystem?: true;
  retention?: true;
  /** Takes `prompt_cache_breakpoint` on parts of content. */
  breakpoints?: true;
}

const REASONS: ModelRules = {
  reasons: true,
  efforts: ["minimal", "low", "medium", "high"],
  effort: "medium",
  parallel: true,
  verbosity: true,
  functions: "always",
  retention: true,
};
const O_SERIES: ModelRules = {
  reasons: true,
  efforts: ["low", "medium", "high"],
  effort: "medium",
  functions: "always",
  retention: true,
};
const FROM_52 = ["none", "low", "medium", "high", "xhigh"];
const ASTRA: ModelRules = {
  ...REASONS,
  efforts: ["low", "medium", "high", "xhigh"],
  functions: "none only",
  responsesEffort: "max",
  retention: undefined,
  breakpoints: true,
};
const SOL_6: ModelRules = { ...ASTRA, efforts: FROM_52, sampling: true };
const PLAIN: ModelRules = {
  reasons: false,
  efforts: [],
  effort: "none",
  sampling: true,
  stop: true,
  parallel: true,
  functions: "always",
  retention: true,
};

const CODEX: ModelRules = {
  ...REASONS,
  efforts: ["low", "medium", "high"],
  verbosity: undefined,
  responsesOnly: true,
};
const CODEX_52: ModelRules = { ...CODEX, efforts: ["low", "medium", "high", "xhigh"] };
const PRO_5: ModelRules = { ...REASONS, efforts: ["high"], effort: "high", responsesOnly: true };
const PRO_52: ModelRules = { ...PRO_5, efforts: ["medium", "high", "xhigh"], effort: "medium" };
const O_PRO: ModelRules = { ...O_SERIES, responsesOnly: true };

/** The first match counts. */
const MODELS: [start: string, rules: ModelRules | "search"][] = [
  ["gpt-5-pro", PRO_5],
  ["gpt-5.2-pro", PRO_52],
  ["gpt-5.4-pro", PRO_52],
  ["gpt-5-codex", CODEX],
  ["gpt-5.1-codex-max", CODEX_52],
  ["gpt-5.1-codex", CODEX],
  ["gpt-5.2-codex", CODEX_52],
  ["gpt-5.3-codex", CODEX_52],
  ["codex-mini", O_PRO],
  ["o1-pro", O_PRO],
  ["o3-pro", O_PRO],
  ["o3-deep-research", { ...O_PRO, efforts: ["medium"] }],
  ["o4-mini-deep-research", { ...O_PRO, efforts: ["medium"] }],
  ["gpt-4o-search-preview", "search"],
  ["gpt-4o-mini-search-preview", "search"],
  ["gpt-5-search-api", "search"],
  ["gpt-3.5", PLAIN],
  ["gpt-4", PLAIN],
  ["gpt-5-chat", PLAIN],
  ["gpt-5.1-chat", { ...REASONS, efforts: ["medium"] }],
  ["gpt-5.3-chat", { ...REASONS, efforts: ["medium"] }],
  ["gpt-5.1", {
    ...REASONS,
    efforts: ["none", "low", "medium", "high"],
    effort: "none",
    sampling: true,
  }],
  ["gpt-5.2", { ...REASONS, efforts: FROM_52, effort: "none", sampling: true }],
  ["gpt-5.4", { ...REASONS, efforts: FROM_52, effort: "none", sampling: true, functions: "without effort" }],
  ["gpt-5.5", { ...REASONS, efforts: FROM_52, sampling: true, functions: "without effort" }],
  ["gpt-5.6", {
    ...REASONS,
    efforts: FROM_52,
    responsesEffort: "max",
    sampling: true,
    functions: "none only",
    breakpoints: true,
  }],
  ["gpt-5", REASONS],
  ["gpt-6-sol", SOL_6],
  ["gpt-6-luna", SOL_6],
  ["gpt-6.1-terra", SOL_6],
  ["gpt-6", ASTRA],
  ["o1-mini", { ...O_SERIES, efforts: [], stop: true, noSystem: true }],
  ["o1-preview", { ...O_SERIES, efforts: [], stop: true, noSystem: true }],
  ["o1", { ...O_SERIES, stop: true }],
  ["o3-mini", { ...O_SERIES, stop: true }],
  ["o3", O_SERIES],
  ["o4-mini", O_SERIES],
];

/** What a model accepts; `undefined` for an unknown one and for search models. */
export function modelRules(id: string): ModelRules | undefined {
  const model = id.replace(/^ft:/, "");
  const rules = MODELS.find(([start]) => model.startsWith(start))?.[1];
  return rules === "search" ? undefined : rules;
}

const unsupported = (name: string) => `Unsupported parameter: '${name}' is not supported with this model.`;
const incompatible = (name: string) => `Model incompatible request argument supplied: ${name}`;

/** Why OpenAI refuses the settings of a request. */
function refusedByOpenAI(body: Json): string | undefined {
  const model = (body.model as string).replace(/^ft:/, "");
  const rules = MODELS.find(([start]) => model.startsWith(start))?.[1];
  if (!rules) return undefined;
  const sent = (name: string) => name in body;
  if (rules === "search") {
    const refused = [
      "temperature",
      "top_p",
      "frequency_penalty",
      "presence_penalty",
      "logprobs",
      "logit_bias",
    ];
    refused.push(
      "top_logprobs",
      "n",
      "seed",
      "stop",
      "parallel_tool_calls",
      "prediction",
      "reasoning_effort",
    );
    const name = refused.find(sent);
    if (name) return incompatible(name);
    if (!sent("max_tokens") || !model.startsWith("gpt-5")) return undefined;
    return `${unsupported("max_tokens")} Use 'max_completion_tokens' instead.`;
  }
  if (rules.responsesOnly) {
    return "This model is only supported in v1/responses and not in v1/chat/completions.";
  }
  if (rules.noSystem) {
    const at = (body.messages as Json[]).findIndex(({ role }) => role === "system" || role === "developer");
    if (at >= 0) {
      const { role } = (body.messages as Json[])[at];
      return `Unsupported value: 'messages[${at}].role' does not support '${role}' with this model.`;
    }
  }
  const { reasoning_effort: effort } = body;
  if (sent("reasoning_effort") && rules.efforts.length === 0) {
    return "Unrecognized request argument supplied: reasoning_effort";
  }
  if (sent("reasoning_effort") && !rules.efforts.includes(effort as string)) {
    return `Unsupported value: 'reasoning_effort' does not support '${effort}' with this model. ` +
      `Supported values are: ${rules.efforts.map((one) => `'${one}'`).join(", ")}.`;
  }
  if (sent("verbosity") && !rules.verbosity && body.verbosity !== "medium") {
    return `Unsupported value: 'verbosity' does not support '${body.verbosity}' with this model. ` +
      "Supported values are: 'medium'.";
  }
  const inEffect = effort ?? rules.effort;
  const tools = [...(body.tools ?? []) as Json[], ...(body.functions ?? []) as Json[]];
  const functions = tools.some(({ type = "function" }) => type === "function");
  if (functions && rules.functions === "without effort" && sent("reasoning_effort") && effort !== "none") {
    return `Function tools with reasoning_effort are not supported for ${model} in /v1/chat/completions. ` +
      "Please use /v1/responses instead.";
  }
  if (functions && rules.functions === "none only" && inEffect !== "none") {
    return `Function tools with reasoning_effort are not supported for ${model} in /v1/chat/completions. ` +
      "To use function tools, use /v1/responses or set reasoning_effort to 'none'.";
  }
  if (sent("parallel_tool_calls") && !rules.parallel) return unsupported("parallel_tool_calls");
  if (sent("prompt_cache_retention") && !rules.retention) return unsupported("prompt_cache_retention");
  if (!rules.reasons) return undefined;
  if (sent("max_tokens")) {
    return `${unsupported("max_tokens")} Use 'max_completion_tokens' instead.`;
  }
  if (sent("stop") && !rules.stop) return unsupported("stop");
  const isSampled = rules.sampling && inEffect === "none";
  for (const name of ["temperature", "top_p"]) {
    if (!isSampled && sent(name) && body[name] !== 1) {
      return `Unsupported value: '${name}' does not support ${
        body[name]
      } with this model. Only the default (1) value is supported.`;
    }
  }
  for (const name of ["frequency_penalty", "presence_penalty"]) {
    if (sent(name) && body[name] !== 0) return unsupported(name);
  }
  if (!isSampled && sent("logprobs") && body.logprobs !== false) return unsupported("logprobs");
  const refused = ["logit_bias", "prediction", "audio", "web_search_options"];
  if (!isSampled) refused.push("top_logprobs");
  if ((body.modalities as string[] | undefined)?.includes("audio")) return unsupported("modalities");
  const name = refused.find(sent);
  return name && unsupported(name);
}

const USAGE = { prompt_tokens: 20, completion_tokens: 30, total_tokens: 50 };

/** A message as it is streamed: what was thought, then the text, then each call with its arguments in pieces. */
function deltasOf({ role, content, reasoning_content }: Json, calls: Json[]): Json[] {
  const out: Json[] = [];
  if (reasoning_content) out.push({ role, reasoning_content });
  out.push({ role, content });
  for (const { index, id, type, function: called } of calls) {
    const { name, arguments: args } = called as { name: string; arguments: string };
    out.push({ tool_calls: [{ index, id, type, function: { name, arguments: "" } }] });
    for (const piece of args.match(/[^]{1,7}/g) ?? []) {
      out.push({ tool_calls: [{ index, function: { arguments: piece } }] });
    }
  }
  return out;
}

export function strictOpenAI(turns: Script<Turn>) {
  const next = scripted(turns);
  const play = (asked: Asked): Response => {
    const message = check(asked);
    if (message) {
      return Response.json({ error: { message, type: "invalid_request_error", param: null, code: null } }, {
        status: 400,
      });
    }
    const turn = next(asked);
    if (turn instanceof Response) return turn;
    const { think, text, calls } = turn;
    const tool_calls = calls?.map(({ id, name, args }, index) => ({
      index,
      id,
      type: "function",
      function: { name, arguments: JSON.stringify(args) },
    }));
    const said = {
      role: "assistant",
      content: text ?? null,
      ...(think && { reasoning_content: think }),
      ...(tool_calls && { tool_calls }),
    };
    const finish_reason = calls ? "tool_calls" : "stop";
    const head = { id: "chatcmpl-1", created: 1, model: "m" };
    if (!asked.body.stream) {
      return Response.json({ ...head, choices: [{ index: 0, message: said, finish_reason }], usage: USAGE });
    }
    return events(sse([
      ...deltasOf(said, tool_calls ?? []).map((delta) => ({
        ...head,
        choices: [{ index: 0, delta, finish_reason: null }],
      })),
      { ...head, choices: [{ index: 0, delta: {}, finish_reason }] },
      { ...head, choices: [], usage: USAGE },
      "[DONE]",
    ]));
  };
  return { play, check };
}

/** Marks of other makers, and OpenAI's own where the model has none. */
function refusedMark(content: unknown, { model }: Json, here: string): string | undefined {
  for (const [at, part] of (Array.isArray(content) ? content as Json[] : []).entries()) {
    const taken = modelRules(model as string)?.breakpoints;
    const stray = "cache_control" in part
      ? "cache_control"
      : "prompt_cache_breakpoint" in part && !taken
      ? "prompt_cache_breakpoint"
      : undefined;
    if (stray) return `Unknown parameter: '${here}[${at}].${stray}'.`;
    const ttl = (part.prompt_cache_breakpoint as Json | undefined)?.ttl ?? "30m";
    if (ttl !== "30m") return `Invalid value: '${ttl}'. Supported values are: '30m'.`;
  }
}

function check({ url, body }: Asked): string | undefined {
  const refused = url.host === "api.openai.com" ? refusedByOpenAI(body) : undefined;
  if (refused) return refused;
  const { ids, roles, members } = RULES[url.host] ?? RULES["api.deepseek.com"];
  let pending: unknown[] = [];
  for (const [at, message] of (body.messages as Json[]).entries()) {
    const here = `messages[${at}]`;
    if (!roles.includes(message.role as string)) return `${here}.role: unknown variant \`${message.role}\``;
    const taken = members && ["role", "content", ...members[message.role as string]];
    const stray = taken && Object.keys(message).find((name) => !taken.includes(name));
    if (stray) return `'${here}' : property '${stray}' is unsupported`;
    const marked = refusedMark(message.content, body, `${here}.content`);
    if (marked && url.host === "api.openai.com") return marked;
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
