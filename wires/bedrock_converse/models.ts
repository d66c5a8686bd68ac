/**
 * What the families of models behind Converse accept.
 *
 * Converse has one form for all models, and answers 400 to what a model does not know. Settings of one family stand in
 * `additionalModelRequestFields`, in that family's own form.
 *
 * Read in 2026-11 from the types of `@aws-sdk/client-bedrock-runtime` 3.1164.0 and from LiteLLM 1.110.2
 * (`converse_transformation.py`), which names live answers.
 *
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-supported-models-features.html
 */
import type { ServerToolKind } from "../types.ts";

/** What one family accepts. A member that is absent is not accepted. */
export interface Family {
  /** The family's form of an effort. */
  effort?: "claude" | "nova" | "flat" | "nested";
  /** The words of the effort, lowest first. */
  efforts?: readonly string[];
  /** Earlier thoughts with their proofs. */
  thoughts?: true;
  /** `toolChoice` may be `any`; and `tool` too. */
  choice?: "any" | "tool";
  /** `status` and pictures in the results of tools. */
  results?: true;
  /** Sound or films in the user's messages. */
  plays?: readonly ("audio" | "video")[];
  /** `strict` on tools. */
  strict?: true;
  /** Cache points: after parts of messages; and after tools too. */
  cache?: "messages" | "everywhere";
  /** Cache points may be kept for an hour. */
  hour?: true;
  /** The member for `top_k` of the additional fields, or the path of it. */
  topK?: readonly string[];
  stop?: true;
  sampling?: true;
  /** A schema for the answer is enforced. */
  schema?: true;
  /** The least that `maxTokens` may be. */
  least?: number;
  /** Ids of tool calls are nine letters and digits. */
  shortIds?: true;
  /** Tools that Amazon runs, by their kinds. */
  systemTools?: Partial<Record<ServerToolKind, string>>;
}

const LEVELS = ["low", "medium", "high"];

const PLAIN: Family = { stop: true, sampling: true };
const CLAUDE: Family = {
  ...PLAIN,
  effort: "claude",
  thoughts: true,
  choice: "tool",
  results: true,
  strict: true,
  cache: "everywhere",
  hour: true,
  topK: ["top_k"],
  schema: true,
};
const NOVA: Family = {
  ...PLAIN,
  choice: "tool",
  results: true,
  plays: ["video"],
  cache: "messages",
  topK: ["inferenceConfig", "topK"],
  systemTools: { web_search: "nova_grounding" },
};
const GPT: Family = { effort: "nested", choice: "tool", schema: true, least: 16 };

/** The families by what their ids hold, the first that matches. An unknown model gets what most accept. */
const FAMILIES: readonly (readonly [ids: RegExp, family: Family])[] = [
  [/claude/, CLAUDE],
  [/nova-2/, {
    ...NOVA,
    effort: "nova",
    efforts: LEVELS,
    systemTools: { ...NOVA.systemTools, code_execution: "nova_code_interpreter" },
  }],
  [/nova/, NOVA],
  [/gpt-oss/, { sampling: true, effort: "flat", efforts: LEVELS, choice: "tool", schema: true }],
  [/openai\.|gpt-\d/, GPT],
  [/grok/, { ...PLAIN, choice: "tool", schema: true, least: 16 }],
  [/kimi-k3/, { ...PLAIN, choice: "tool", schema: true, least: 16 }],
  [/deepseek\.r1|deepseek-r1/, PLAIN],
  [/deepseek/, { ...PLAIN, effort: "flat", efforts: LEVELS, choice: "any", schema: true }],
  [/mistral|magistral|ministral|pixtral|voxtral|devstral/, {
    ...PLAIN,
    choice: "any",
    schema: true,
    plays: ["audio"],
    shortIds: true,
    topK: ["top_k"],
  }],
  [/llama|titan|cohere|ai21|jamba|writer|palmyra/, PLAIN],
];

const OTHER: Family = { ...PLAIN, choice: "any", schema: true, plays: ["audio", "video"] };

/** What a model accepts, by its id with or without the beginnings that name a region or a profile. */
export const familyOf = (id: string): Family =>
  FAMILIES.find(([ids]) => ids.test(id.toLowerCase()))?.[1] ?? OTHER;
