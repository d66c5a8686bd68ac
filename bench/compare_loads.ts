/** What `compare.ts` sends. */
import type { Client, Shape, Turn } from "./knocks.ts";

/** A load on a running target. */
export interface Load {
  name: string;
  shape: Shape;
  /** The format in which clients ask. Default `chat`, the only one that the peers are asked in. */
  client?: Client;
  /** The fake provider's model. */
  model: string;
  connections: number;
  /** The longest time of one answer, if the usual time is too short. */
  seconds?: number;
  /** Whether the load is also measured without a gateway. */
  direct?: boolean;
  /** Whether the same call is measured with and without a cache that answers it. */
  cached?: boolean;
}

const SHAPES: Shape[] = ["openai", "anthropic", "gemini"];

/** Other ways from a client's format to a provider's. */
const WAYS: { name: string; client: Client; shape: Shape }[] = [
  { name: "Messages to anthropic", client: "messages", shape: "anthropic" },
  { name: "Messages to openai", client: "messages", shape: "openai" },
  { name: "Responses to openai", client: "responses", shape: "responses" },
  { name: "chat to openai's Responses", client: "chat", shape: "responses" },
];

/** The loads of targets that keep running. */
export const LOADS: Load[] = [
  ...SHAPES.flatMap((shape): Load[] => [
    { name: `whole, ${shape}`, shape, model: "whole", connections: 32 },
    { name: `stream of 200, one per write, ${shape}`, shape, model: "s200x1", connections: 8 },
    { name: `stream of 200, 16 per write, ${shape}`, shape, model: "s200x16", connections: 8 },
    // At full speed several writes are read at once. Here each write is read alone, as tokens are.
    { name: `stream of 200, 1 ms apart, ${shape}`, shape, model: "s200x1p1", connections: 16 },
    // Several calls one after the other on one connection: on a fresh connection the cost of connecting would hide the rest.
    { name: `first token, ${shape}`, shape, model: "s12x1p20", connections: 1, seconds: 2, direct: true },
    { name: `latency, whole, ${shape}`, shape, model: "whole", connections: 1, direct: true },
    { name: `latency, stream, ${shape}`, shape, model: "s200x1", connections: 1, direct: true },
    { name: `rate, stream, ${shape}`, shape, model: "s200x1", connections: 32 },
  ]),
  ...(["openai", "anthropic"] as const).flatMap((shape): Load[] => [
    { name: `whole, from a cache, ${shape}`, shape, model: "whole", connections: 32, cached: true },
    { name: `stream of 200, from a cache, ${shape}`, shape, model: "s200x1", connections: 8, cached: true },
  ]),
  ...WAYS.flatMap(({ name, ...way }): Load[] => [
    { ...way, name: `whole, ${name}`, model: "whole", connections: 32 },
    { ...way, name: `stream of 200, one per write, ${name}`, model: "s200x1", connections: 8 },
  ]),
];

/** The measurements that start a process of their own. */
export const FRESH = [
  "10 MB body",
  "idle streams, openai",
  "idle streams, anthropic",
  "cold start",
  "cold start, one file",
] as const;

export const PROMPT = [
  { role: "system", content: "You are a careful assistant." },
  { role: "user", content: "In a few words: what is a gateway, and why would anyone want one? ".repeat(4) },
];

/** A body of 10 MB that is nearly all one image. */
export function imagePrompt(): Turn[] {
  const image = "iVBORw0KGgoAAAANSUhEUgAA".repeat(Math.ceil(10e6 / 24)).slice(0, 10e6);
  const url = `data:image/png;base64,${image}`;
  return [{
    role: "user",
    content: [{ type: "text", text: "What is in this image?" }, { type: "image_url", image_url: { url } }],
  }];
}
