/**
 * Conversations that change their provider at every request. Each provider checks its own proofs of thoughts, gets back
 * those that it issued, and sees none of another's.
 */
import { assert, assertEquals } from "@std/assert";
import Anthropic from "npm:@anthropic-ai/sdk@1.14.0";
import OpenAI from "npm:openai@7.57.0";
import { type Asked, CLIENTS, type Json, type Lab, lab, type Play } from "./lab.ts";
import type { Piece } from "./responses_stream.ts";
import { strictAnthropic } from "./strict_anthropic.ts";
import { strictGoogle } from "./strict_google.ts";
import { strictOpenAI } from "./strict_openai.ts";
import { strictResponses } from "./strict_responses.ts";

// deno-lint-ignore no-explicit-any -- Requests and answers with fields that the SDKs do not know.
type Any = any;

const MODELS = [
  "anthropic/claude-opus-5",
  "google/gemini-3-pro",
  "openai/gpt-5.6",
  "mistral/mistral-medium-latest",
];
const NAMES = ["f0", "f1", "f2", "f3", "f4"];
const SCHEMA = { type: "object", properties: {} };

// ---------------------------------------------------------------- the providers

/** All four providers. The answer to request `k` is a thought, and a call of `f<k>` or (odd) a text. */
function world(): { play: Play; proofs: (string | undefined)[]; faults: unknown[] } {
  const proofs: (string | undefined)[] = [];
  const faults: unknown[] = [];
  const claude: Json[][] = [[]], gemini: Json[][] = [[]], gpt: Piece[][] = [[]];
  const byHost: Record<string, (asked: Asked, k: number) => Response | Promise<Response>> = {
    "api.anthropic.com": (asked, k) => {
      const signature = btoa(`claude ${k}`);
      claude[0] = [
        { type: "thinking", thinking: `Thought ${k}`, signature },
        k % 2
          ? { type: "text", text: `Said ${k}` }
          : { type: "tool_use", id: `toolu_${k}`, name: `f${k}`, input: {} },
      ];
      proofs[k] = signature;
      return anthropic.play(asked);
    },
    "generativelanguage.googleapis.com": (asked, k) => {
      const thoughtSignature = btoa(`gemini ${k} `);
      gemini[0] = [
        { text: `Thought ${k}`, thought: true },
        k % 2
          ? { text: `Said ${k}`, thoughtSignature }
          : { functionCall: { name: `f${k}`, args: {} }, thoughtSignature },
      ];
      proofs[k] = thoughtSignature;
      return google.play(asked);
    },
    "api.openai.com": async (asked, k) => {
      gpt[0] = [
        { think: [`Thought ${k}`], summary: [`Thought ${k}`] } as unknown as Piece,
        k % 2 ? { text: [`Said ${k}`] } : { call: `f${k}`, id: `call_${k}`, args: ["{}"] },
      ];
      const response = openai.play(asked);
      proofs[k] = /gAAAAAB[\w+/=]+/.exec(await response.clone().text())?.[0];
      return response;
    },
    // It has no proofs, and refuses every field and id that is not its own.
    "api.mistral.ai": (asked, k) => {
      const calls = k % 2 ? undefined : [{ id: `callcall${k}`, name: `f${k}`, args: {} }];
      return strictOpenAI([{ text: k % 2 ? `Said ${k}` : "", calls }]).play(asked);
    },
  };
  const anthropic = strictAnthropic(claude as Any);
  const google = strictGoogle(gemini);
  const openai = strictResponses(gpt);
  let k = 0;
  const play: Play = async (asked) => {
    const at = k++;
    const response = await byHost[asked.url.host](asked, at);
    if (!response.ok) faults.push([at, await response.clone().text()]);
    return response;
  };
  return { play, proofs, faults };
}

// ---------------------------------------------------------------- the clients

/** A client keeps its conversation in its own form. `ask` asks one model; `say` and `answer` append to it. */
interface Wanderer {
  say(text: string): void;
  ask(model: string): Promise<string | undefined>;
  answer(id: string): void;
}

type Make = (room: Lab, streams: boolean) => Wanderer;

const chat: Make = (room, streams) => {
  const messages: Json[] = [];
  const client = CLIENTS[streams ? "the official SDK's stream helper" : "the official SDK, whole"];
  return {
    say: (content) => void messages.push({ role: "user", content }),
    answer: (id) => void messages.push({ role: "tool", tool_call_id: id, content: "1" }),
    ask: async (model) => {
      const tools = NAMES.map((name) => ({ type: "function", function: { name, parameters: SCHEMA } }));
      const message = await client(room, { model, tools, messages, reasoning_effort: "high" });
      messages.push(message);
      return (message.tool_calls as Json[] | undefined)?.[0]?.id as string | undefined;
    },
  };
};

const messagesClient: Make = ({ gateway }, streams) => {
  const messages: Json[] = [];
  const anthropic = new Anthropic({
    apiKey: "key",
    baseURL: "http://gateway.test",
    maxRetries: 0,
    fetch: (input, init) => gateway.fetch(new Request(input as string, init as RequestInit)),
  });
  return {
    say: (content) => void messages.push({ role: "user", content }),
    answer: (id) =>
      void messages.push({
        role: "user",
        content: [{ type: "tool_result", tool_use_id: id, content: "1" }],
      }),
    ask: async (model) => {
      const body: Any = {
        model,
        max_tokens: 4000,
        thinking: { type: "adaptive" },
        tools: NAMES.map((name) => ({ name, input_schema: SCHEMA })),
        messages,
      };
      const { content } = streams
        ? await anthropic.messages.stream(body).finalMessage()
        : await anthropic.messages.create(body);
      messages.push({ role: "assistant", content });
      return (content as Any[]).find(({ type }) => type === "tool_use")?.id;
    },
  };
};

const responses: Make = ({ gateway }, streams) => {
  const input: Json[] = [];
  const openai = new OpenAI({
    apiKey: "key",
    baseURL: "http://gateway.test/v1",
    maxRetries: 0,
    fetch: (given, init) => gateway.fetch(new Request(given as string, init as RequestInit)),
  });
  return {
    say: (content) => void input.push({ role: "user", content }),
    answer: (id) => void input.push({ type: "function_call_output", call_id: id, output: "1" }),
    ask: async (model) => {
      const body: Any = {
        model,
        store: false,
        include: ["reasoning.encrypted_content"],
        reasoning: { effort: "high", summary: "auto" },
        tools: NAMES.map((name) => ({ type: "function", name, parameters: SCHEMA, strict: false })),
        input,
      };
      const { output } = streams
        ? await openai.responses.stream(body).finalResponse()
        : await openai.responses.create(body) as Any;
      for (const { parsed_arguments: _, ...item } of output as Any[]) {
        for (const part of item.type === "message" ? item.content : []) delete part.parsed;
        input.push(item);
      }
      return (output as Any[]).find(({ type }) => type === "function_call")?.call_id;
    },
  };
};

// ---------------------------------------------------------------- every way through

/** Each pair of neighbours differs, and the last two providers saw the first two requests. */
const PATHS = MODELS.flatMap((a) =>
  MODELS.flatMap((b) => MODELS.filter((c) => a !== b && b !== c).map((c) => [a, b, c, a, b]))
);

/** Anthropic takes a Messages client's ids of tool calls as they are, so they may hold Gemini's signatures. */
const withoutIds = (text: string): string => text.replace(/__sig_[\w-]+/g, "");

for (const [name, make] of Object.entries({ chat, messages: messagesClient, responses })) {
  for (const streams of [false, true]) {
    Deno.test(`proofs of thoughts through every change of provider, ${name}, ${streams ? "streamed" : "whole"}`, async () => {
      for (const path of PATHS) {
        const { play, proofs, faults } = world();
        const room = lab(play);
        const client = make(room, streams);
        for (const [k, model] of path.entries()) {
          if (k % 2 === 0) client.say(`Question ${k}`);
          const id = await client.ask(model).catch((error) => {
            throw new Error(`${path.slice(0, k + 1)}: ${error.message} ${JSON.stringify(faults)}`);
          });
          if (k % 2 === 0) client.answer(id!);
        }
        room.asked.forEach(({ text }, at) => {
          assert(!text.includes("slc1."), `${path}: an envelope reached ${path[at]}: ${text}`);
          for (let k = 0; k < at; k++) {
            const proof = proofs[k];
            // A Messages client gets no signature of Gemini's texts, which Gemini does not ask for (write_message.ts).
            const isText = name === "messages" && path[k].startsWith("google") && k % 2 === 1;
            if (proof === undefined || isText) continue;
            assertEquals(
              withoutIds(text).includes(proof),
              path[k] === path[at],
              `${path}: proof ${k} at ${at}: ${text}`,
            );
          }
        });
      }
    });
  }
}
