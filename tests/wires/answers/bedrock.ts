/** The answers of Amazon Bedrock: in Converse's form, and Claude's own in Amazon's frames. */
import type { JsonObject } from "../../../wires/types.ts";
import { callPieces, type FakeProvider, type Scenario, SIGNATURE, type SseEvent } from "./scenarios.ts";
import { encode } from "../streams/aws_messages.ts";

/** Each byte of a text as one character, as `encode` writes them. */
const inBytes = (text: string) =>
  Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");

/** Events as Amazon's frames. An event whose name ends with `Exception` is one. */
export function awsFrames(events: readonly SseEvent[]): Uint8Array<ArrayBuffer> {
  const messages = events.map(({ event = "chunk", data }) => {
    const kind = event.endsWith("Exception") ? "exception" : "event";
    return encode(
      { [`:${kind}-type`]: event, ":content-type": "application/json", ":message-type": kind },
      inBytes(JSON.stringify(data)),
    );
  });
  const bytes = new Uint8Array(messages.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const message of messages) {
    bytes.set(message, at);
    at += message.length;
  }
  return bytes;
}

const AWS = "application/vnd.amazon.eventstream";

const STOPS = {
  stop: "end_turn",
  length: "max_tokens",
  tool_calls: "tool_use",
  content_filter: "content_filtered",
};

const usageOf = ({ prompt, cached, completion }: Scenario["usage"]) => ({
  inputTokens: prompt - cached,
  outputTokens: completion,
  totalTokens: prompt + completion,
  cacheReadInputTokens: cached,
  cacheWriteInputTokens: 0,
});

/** Padding of a length that Amazon chooses, which hides the lengths of texts. */
const p = "abcdefghijklmnopqrstuvwxyz";

export const converse: FakeProvider = {
  name: "aws-bedrock's Converse",
  provider: "aws-bedrock",
  model: "us-east-1/converse/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
  framed: { type: AWS, bytes: awsFrames },
  pings: [{ event: "somethingNew", data: { p } }],
  failure: (message) => ({ event: "serviceUnavailableException", data: { message } }),
  whole({ text, thinking, calls = [], finish, usage }) {
    const content: JsonObject[] = [
      ...(thinking
        ? [{ reasoningContent: { reasoningText: { text: thinking.join(""), signature: SIGNATURE } } }]
        : []),
      ...(text ? [{ text: text.join("") }] : []),
      ...calls.map(({ id, name, args }) => ({
        toolUse: { toolUseId: id, name, input: JSON.parse(args.join("") || "{}") },
      })),
    ];
    return {
      metrics: { latencyMs: 7 },
      output: { message: { role: "assistant", content } },
      stopReason: STOPS[finish],
      usage: usageOf(usage),
    };
  },
  stream(scenario) {
    const { text, thinking, calls = [], finish, usage } = scenario;
    let at = 0;
    const said = (event: string, data: JsonObject): SseEvent => ({ event, data: { ...data, p } });
    const delta = (contentBlockIndex: number, delta: JsonObject) =>
      said("contentBlockDelta", { contentBlockIndex, delta });
    const stop = (contentBlockIndex: number) => said("contentBlockStop", { contentBlockIndex });
    const events = [said("messageStart", { role: "assistant" })];
    if (thinking) {
      for (const piece of thinking) events.push(delta(at, { reasoningContent: { text: piece } }));
      events.push(delta(at, { reasoningContent: { signature: SIGNATURE } }), stop(at++));
    }
    if (text) {
      events.push(
        delta(at, { text: "" }),
        ...text.map((piece) => delta(at, { text: piece })),
        stop(at++),
      );
    }
    const first = at;
    for (const { index, start, text } of callPieces(scenario)) {
      const { id: toolUseId, name } = calls[index];
      const contentBlockIndex = first + index;
      if (start) {
        events.push(
          said("contentBlockStart", { contentBlockIndex, start: { toolUse: { toolUseId, name } } }),
        );
      } else events.push(delta(contentBlockIndex, { toolUse: { input: text } }));
    }
    calls.forEach((_, index) => events.push(stop(first + index)));
    return [
      ...events,
      said("messageStop", { stopReason: STOPS[finish] }),
      said("metadata", { usage: usageOf(usage), metrics: { latencyMs: 7 } }),
    ];
  },
};

/** Claude behind Invoke: Anthropic's events, each in base64 in one of Amazon's. */
export const invoked = (anthropic: FakeProvider): FakeProvider => ({
  ...anthropic,
  name: "aws-bedrock's Invoke",
  provider: "aws-bedrock",
  model: "us-east-1/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
  framed: {
    type: AWS,
    bytes: (events) =>
      awsFrames(events.map((event) => {
        if (event.event?.endsWith("Exception")) return event;
        const data = event.data as JsonObject;
        const last = data.type === "message_stop" &&
          { "amazon-bedrock-invocationMetrics": { inputTokenCount: 5 } };
        return { event: "chunk", data: { bytes: btoa(inBytes(JSON.stringify({ ...data, ...last }))), p } };
      })),
  },
  failure: converse.failure,
});
