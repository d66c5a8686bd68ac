/** Strict fakes of providers that act a plot: what the model does is decided by what it is shown. */
import type { Asked, Json, Play, Script } from "../acceptance/lab.ts";
import { strictAnthropic } from "../acceptance/strict_anthropic.ts";
import { strictGoogle } from "../acceptance/strict_google.ts";
import { strictOpenAI } from "../acceptance/strict_openai.ts";
import { strictResponses } from "../acceptance/strict_responses.ts";

/** A call of a tool; a custom tool's has a text instead of arguments. */
export type ToolCall = { name: string; args: Json } | { name: string; input: string };

/** What a model says in one answer. */
export interface Say {
  think?: string;
  text?: string;
  calls?: ToolCall[];
}

/** One answer: said whole, broken off in its middle, or refused because the prompt is too long. */
export type Move = Say | { cut: Say } | "overflow";

/** A request as the model sees it. */
export interface Seen {
  /** Names of the tools that are offered. */
  tools: string[];
  /** What tools have answered, in order. */
  results: string[];
  /** The last thing that somebody has said to it. */
  last: string;
  /** The whole request. */
  text: string;
  /** What the provider was asked. */
  asked: Asked;
}

/** What a model does, by what it sees. */
export type Plot = (seen: Seen) => Move;

/** A provider of one wire. */
export interface Provider {
  proof: RegExp;
  /** As the client names it. */
  model: string;
  play: Play;
  /** What was refused, in the provider's words. */
  refused: string[];
}

/** A maker of fakes for one wire. */
interface Kind<Turn> {
  model: string;
  strict(script: Script<Turn>): { play: Play };
  /** Whether a request is for an answer, and not for a count. */
  asks(asked: Asked): boolean;
  tools(body: Json): string[];
  results(body: Json): unknown[];
  /** Turns, or items. */
  turns(body: Json): Json[];
  /** What an earlier thought of the model's looks like when it comes back. */
  proof: RegExp;
  say(say: Say, id: () => string): Turn;
  /** How it refuses a prompt that is too long. */
  overflow: Json;
}

const list = (value: unknown) => (Array.isArray(value) ? value : []) as Json[];

const anthropic: Kind<(Json & { type: string })[]> = {
  model: "anthropic/claude-opus-5-5",
  strict: strictAnthropic,
  asks: ({ url }) => url.pathname === "/v1/messages",
  tools: ({ tools }) => list(tools).map(({ name }) => name as string),
  results: ({ messages }) =>
    list(messages).flatMap(({ content }) => list(content)).filter(({ type }) => type === "tool_result")
      .map(({ content }) => content),
  turns: ({ messages }) => list(messages),
  proof: /"signature":"[^"]+"/,
  say: ({ think, text, calls = [] }, id) => [
    ...(think ? [{ type: "thinking", thinking: think, signature: btoa(`${id()} ${think}`) }] : []),
    ...(text ? [{ type: "text", text }] : []),
    ...calls.map((call) => ({
      type: "tool_use",
      id: `toolu_${id()}`,
      name: call.name,
      input: "args" in call ? call.args : { input: call.input },
    })),
  ],
  overflow: {
    type: "error",
    error: { type: "invalid_request_error", message: "prompt is too long: 205018 tokens > 200000 maximum" },
    request_id: "req_1",
  },
};

const gemini: Kind<Json[]> = {
  model: "google-ai-studio/gemini-3-pro",
  strict: strictGoogle,
  asks: ({ url }) => !url.pathname.endsWith(":countTokens"),
  tools: ({ tools }) =>
    list(tools).flatMap(({ functionDeclarations }) => list(functionDeclarations)).map(({ name }) =>
      name as string
    ),
  results: ({ contents }) =>
    list(contents).flatMap(({ parts }) => list(parts)).flatMap(({ functionResponse }) =>
      functionResponse ?? []
    ),
  turns: ({ contents }) => list(contents),
  proof: /"thoughtSignature":"[^"]+"/,
  say: ({ think, text, calls = [] }) => [
    ...(think ? [{ text: think, thought: true }] : []),
    ...(text ? [{ text }] : []),
    ...calls.map((call, at) => ({
      functionCall: { name: call.name, args: "args" in call ? call.args : { input: call.input } },
      ...(at === 0 && { thoughtSignature: btoa(`signed ${call.name}`) }),
    })),
  ],
  overflow: {
    error: {
      code: 400,
      message: "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).",
      status: "INVALID_ARGUMENT",
    },
  },
};

type ChatTurn = Exclude<Parameters<typeof strictOpenAI>[0], (asked: Asked) => unknown>[number];

const chat: Kind<ChatTurn> = {
  model: "local/some-model",
  strict: strictOpenAI,
  asks: () => true,
  tools: ({ tools }) => list(tools).map(({ function: called }) => (called as Json).name as string),
  results: ({ messages }) =>
    list(messages).filter(({ role }) => role === "tool").map(({ content }) => content),
  turns: ({ messages }) => list(messages),
  proof: /"reasoning_content":"[^"]+"/,
  say: ({ think, text, calls }, id) => ({
    think,
    text,
    calls: calls?.map((call) => ({
      id: `call_${id()}`,
      name: call.name,
      args: "args" in call ? call.args : { input: call.input },
    })),
  }),
  overflow: {
    error: {
      message:
        "This model's maximum context length is 128000 tokens. However, your messages resulted in 150123 tokens. " +
        "Please reduce the length of the messages.",
      type: "invalid_request_error",
      param: "messages",
      code: "context_length_exceeded",
    },
  },
};

type ResponsesTurn = Exclude<Parameters<typeof strictResponses>[0], (asked: Asked) => unknown>[number];

const responses: Kind<ResponsesTurn> = {
  model: "openai/gpt-5.5",
  strict: strictResponses,
  asks: ({ url }) => url.pathname === "/v1/responses",
  tools: ({ tools }) => list(tools).map(({ name, type }) => (name ?? type) as string),
  results: ({ input }) =>
    list(input).filter(({ type }) => (type as string)?.endsWith("_output")).map(({ output }) => output),
  turns: ({ input }) => list(input),
  proof: /"encrypted_content":"gAAAA[^"]+"/,
  say: ({ think, text, calls = [] }, id) => [
    ...(think ? [{ think, summary: [think] }] : []),
    ...(text ? [{ text: [text] }] : []),
    ...calls.map((call) =>
      "args" in call
        ? { call: call.name, id: `call_${id()}`, args: JSON.stringify(call.args).match(/[^]{1,7}/g)! }
        : { custom: call.name, id: `call_${id()}`, input: call.input.match(/[^]{1,7}/g)! }
    ),
  ],
  overflow: {
    error: {
      message: "Your input exceeds the context window of this model. Please adjust your input and try again.",
      type: "invalid_request_error",
      param: "input",
      code: "context_length_exceeded",
    },
  },
};

const KINDS = { anthropic, chat, gemini, responses };
export type Wire = keyof typeof KINDS;
export const WIRES = Object.keys(KINDS) as Wire[];

/** A strict provider of a wire whose model acts a plot. */
export function provider(wire: Wire, plot: Plot): Provider {
  return make(KINDS[wire] as Kind<unknown>, plot);
}

function make<Turn>(kind: Kind<Turn>, plot: Plot): Provider {
  let count = 0;
  const refused: string[] = [];
  const id = () => `${++count}`.padStart(3, "0");
  let isCut = false;
  const { play } = kind.strict((asked) => {
    const { body, text } = asked;
    const move = plot({
      tools: kind.tools(body),
      results: kind.results(body).map((result) =>
        typeof result === "string" ? result : JSON.stringify(result)
      ),
      last: said(kind.turns(body).at(-1)),
      text,
      asked,
    });
    isCut = typeof move === "object" && "cut" in move;
    if (move === "overflow") return Response.json(kind.overflow, { status: 400 });
    return kind.say("cut" in move ? move.cut : move, id);
  });
  return {
    model: kind.model,
    proof: kind.proof,
    refused,
    async play(asked) {
      isCut = false;
      const answer = await play(asked);
      if (isCut) return breakOff(answer);
      if (
        answer.status >= 400 && JSON.stringify(await answer.clone().json()) !== JSON.stringify(kind.overflow)
      ) {
        refused.push(await answer.clone().text());
      }
      return answer;
    },
  };
}

/** The texts of a turn, or of an item. */
const said = ({ content, parts }: Json = {}): string =>
  typeof content === "string" ? content : list(content ?? parts).map(({ text }) => text ?? "").join("\n");

/** The first two thirds of an answer, and then a broken connection. */
async function breakOff(answer: Response): Promise<Response> {
  const bytes = new TextEncoder().encode(await answer.text());
  const { status, headers } = answer;
  let isSent = false;
  const body = new ReadableStream({
    pull(controller) {
      if (isSent) return controller.error(new TypeError("connection reset"));
      isSent = true;
      controller.enqueue(bytes.slice(0, Math.floor(bytes.length * 2 / 3)));
    },
  }, { highWaterMark: 0 });
  return new Response(body, { status, headers });
}
