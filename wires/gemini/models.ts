/**
 * What each generation of Gemini accepts, and how models are addressed.
 *
 * The API answers 400 to a setting that the model does not know, and the generations differ. Read from the thinking,
 * image generation, robotics and "What's new in Gemini 3.6" pages at ai.google.dev, from the model list of
 * `@google/genai` 3.3.0, and from what pydantic-ai 2.68.0 and langchain-google measured against the live API; 2026-11.
 */
import { GatewayError } from "../errors.ts";
import type { JsonObject } from "../types.ts";

/** The values of `thinkingLevel`, lowest first. */
const LEVELS = ["MINIMAL", "LOW", "MEDIUM", "HIGH"] as const;
type Level = typeof LEVELS[number];

/** What one generation accepts. */
export interface GeminiModel {
  /** What `thinkingConfig` accepts: one of these levels, or a budget in tokens. Absent: the model does not think. */
  thinking?: readonly Level[] | Budget;
  /** The request may end with a turn of the model, which the model then continues. */
  prefill: boolean;
  /** The model accepts `frequencyPenalty` and `presencePenalty` other than 0. */
  penalties: boolean;
  /** The model accepts `candidateCount` above 1. */
  candidates: boolean;
  /** The model obeys `temperature`, `topP` and `topK`. */
  sampling: boolean;
  /**
   * What must have a signature in the model's turns. `calls`: the first tool call of each turn. `parts`: every part but
   * thoughts. Absent: nothing.
   */
  signed?: "calls" | "parts";
  /**
   * Generation 3. It accepts media inside `functionResponse.parts`, `mediaResolution` of a part, and Google's own tools
   * and structured output beside functions.
   */
  third: boolean;
  /** The model accepts `systemInstruction`. */
  system: boolean;
}

/** The range of the thinking budget in tokens. `least` is sent for the effort `none`. */
interface Budget {
  least: number;
  most: number;
}

const NO_MINIMAL = ["LOW", "MEDIUM", "HIGH"] as const;
const LEAST_AND_MOST = ["MINIMAL", "HIGH"] as const;

/**
 * A model of which only the API is known: tuned models, and names of other makers. All settings but thinking are sent.
 */
const OTHER: GeminiModel = {
  prefill: true,
  penalties: true,
  candidates: true,
  sampling: true,
  third: false,
  system: true,
};
const GEMINI_1: GeminiModel = { ...OTHER, penalties: false };
const GEMINI_25: GeminiModel = { ...GEMINI_1, thinking: { least: 0, most: 24576 } };
const GEMINI_25_PRO: GeminiModel = { ...GEMINI_1, thinking: { least: 128, most: 32768 } };
const GEMINI_3: GeminiModel = {
  ...GEMINI_1,
  thinking: LEVELS,
  candidates: false,
  signed: "calls",
  third: true,
};
const GEMINI_3_PRO: GeminiModel = { ...GEMINI_3, thinking: ["LOW", "HIGH"] };
const GEMINI_31_PRO: GeminiModel = { ...GEMINI_3, thinking: NO_MINIMAL };
const GEMINI_36: GeminiModel = { ...GEMINI_3, prefill: false, sampling: false };
const GEMINI_37: GeminiModel = { ...GEMINI_36, thinking: NO_MINIMAL };
const IMAGE_2: GeminiModel = { ...GEMINI_1, candidates: false };
const IMAGE_3: GeminiModel = { ...GEMINI_3, thinking: LEAST_AND_MOST, signed: "parts" };
const IMAGE_3_PRO: GeminiModel = { ...IMAGE_3, thinking: ["LOW", "HIGH"] };

/**
 * The generations of each family by their first version, the number directly behind `gemini-` (`305` is 3.5), newest
 * first.
 */
const GENERATIONS: Families = {
  flash: [[307, GEMINI_37], [306, GEMINI_36], [300, GEMINI_3], [205, GEMINI_25], [200, OTHER], [0, GEMINI_1]],
  "flash-lite": [[307, GEMINI_37], [305, GEMINI_36], [300, GEMINI_3], [205, GEMINI_25], [200, OTHER], [
    0,
    GEMINI_1,
  ]],
  pro: [
    [306, GEMINI_37],
    [301, GEMINI_31_PRO],
    [300, GEMINI_3_PRO],
    [205, GEMINI_25_PRO],
    [200, OTHER],
    [0, GEMINI_1],
  ],
  image: [[300, IMAGE_3], [0, IMAGE_2]],
  "pro-image": [[300, IMAGE_3_PRO], [0, IMAGE_2]],
  // These models produce or transcribe speech, and do not think.
  speech: [[300, { ...GEMINI_3, thinking: undefined }], [0, GEMINI_1]],
};

type Families = Record<string, readonly (readonly [from: number, model: GeminiModel])[]>;

/** Names without a version, or whose number means something else. The first match counts. */
const BY_NAME: readonly (readonly [name: RegExp, model: GeminiModel])[] = [
  [/^gemini-robotics-er-1/, GEMINI_25],
  [/^gemini-robotics-er-/, GEMINI_3], // Version 2 is based on Gemini 3.5 Flash.
  [/^nano-banana-pro/, IMAGE_3_PRO],
  [/^(gemini-)?nano-banana/, IMAGE_3],
  [/^gemini-omni-/, GEMINI_31_PRO],
  [/^gemini-flash-lite-latest/, GEMINI_36],
  [/^gemini-pro(-vision)?$/, GEMINI_1],
  [/^gemma-([12]|3n?)(-|$)/, { ...GEMINI_1, system: false }],
  [/^gemma-/, { ...GEMINI_1, thinking: LEAST_AND_MOST }],
  [/^learnlm-/, GEMINI_1],
];

/** The last segment of an id in lower case: `models/Gemini-3.8-Flash` becomes `gemini-3.8-flash`. */
const nameOf = (id: string) => id.slice(id.lastIndexOf("/") + 1).toLowerCase();

/**
 * Finds what a model accepts.
 *
 * @param id The id as a client may write it: `gemini-3.8-flash`, `models/gemini-3.8-flash`, `tunedModels/mine`.
 */
export function geminiModel(id: string): GeminiModel {
  if (id.startsWith("tunedModels/")) return OTHER;
  const name = nameOf(id);
  const number = /^gemini-(\d{1,2})(?:\.(\d{1,2}))?(?![\d.])/.exec(name);
  if (!number) {
    const byName = BY_NAME.find(([pattern]) => pattern.test(name));
    if (byName) return byName[1];
    if (!name.startsWith("gemini-")) return OTHER;
  }
  const [, major, minor = 0] = number ?? ["", 99]; // A name without a number counts as the newest generation.
  const version = Number(major) * 100 + Number(minor);
  return GENERATIONS[familyOf(name)].find(([from]) => version >= from)![1];
}

function familyOf(name: string): string {
  if (name.includes("-image")) return name.includes("-pro-") ? "pro-image" : "image";
  if (name.includes("-tts") || name.includes("-transcribe")) return "speech";
  if (name.includes("-flash-lite")) return "flash-lite";
  return name.includes("-pro") ? "pro" : "flash";
}

// ---------------------------------------------------------------- addresses

/** The most characters of a model's name, and the most that an error quotes of a longer one. */
const MOST_CHARACTERS = 256, QUOTED = 60;

/**
 * The path of a model. `gemini-3.5-flash` and `models/gemini-3.5-flash` have the same path, and Google's own names are
 * written in lower case. `tunedModels/…` and similar names stay.
 *
 * @throws GatewayError `invalid_model` for a name that is too long or that would lead out of its folder.
 */
export function modelPath(model: string): string {
  const refuse = (why: string) =>
    new GatewayError(
      "invalid_model",
      `Cannot address model "${model.length > QUOTED ? `${model.slice(0, QUOTED)}…` : model}": ${why}`,
      { param: "model" },
    );
  if (model.length > MOST_CHARACTERS) {
    throw refuse(`a name may have ${MOST_CHARACTERS} characters, and this one has ${model.length}`);
  }
  const segments = model.split("/");
  if (segments.some((segment) => segment === "" || segment === "." || segment === "..")) {
    throw refuse("it is not a resource name");
  }
  const isGoogles = /^(models\/)?(gemini|gemma)-[^/]*$/i.test(model);
  const path = (isGoogles ? segments.map((segment) => segment.toLowerCase()) : segments)
    .map(encodeURIComponent).join("/");
  return segments.length > 1 ? path : `models/${path}`;
}

// ---------------------------------------------------------------- thinking

/**
 * The thinking budget in tokens of each effort, as Google's own OpenAI-compatible API sets it. `xhigh` and `max` are
 * the model's maximum.
 */
const BUDGETS: ReadonlyMap<string, number> = new Map([
  ["none", 0],
  ["minimal", 1024],
  ["low", 1024],
  ["medium", 8192],
  ["high", 24576],
  ["xhigh", Infinity],
  ["max", Infinity],
]);

const WANTED: ReadonlyMap<string, Level> = new Map<string, Level>([
  ["none", "MINIMAL"],
  ["minimal", "MINIMAL"],
  ["low", "LOW"],
  ["medium", "MEDIUM"],
  ["high", "HIGH"],
  ["xhigh", "HIGH"],
  ["max", "HIGH"],
]);

/**
 * Translates an effort to the model's `thinkingConfig`: a token budget within the model's range, or the nearest level
 * that the model accepts (the lower one of two equally near). If thinking cannot be turned off, `none` is the minimum.
 *
 * @returns Empty for `none` if the model does not think; `undefined` if the model cannot do what was asked.
 * @see https://ai.google.dev/gemini-api/docs/generate-content/thinking
 */
export function thinkingFor(effort: string, { thinking }: GeminiModel): JsonObject | undefined {
  const includeThoughts = effort === "none" ? {} : { includeThoughts: true };
  const wanted = WANTED.get(effort);
  if (wanted === undefined) return undefined;
  if (!thinking) return effort === "none" ? {} : undefined;
  if ("least" in thinking) {
    return { thinkingBudget: within(thinking, BUDGETS.get(effort)!), ...includeThoughts };
  }
  const distance = (level: Level) => Math.abs(LEVELS.indexOf(level) - LEVELS.indexOf(wanted));
  const thinkingLevel = thinking.reduce((best, level) => distance(level) < distance(best) ? level : best);
  return { thinkingLevel, ...includeThoughts };
}

/**
 * Whether the model thinks if the request says nothing about that. Of those with a budget that is only certain if it
 * cannot be 0: the API refuses `includeThoughts` without thinking.
 */
export const thinksUnasked = ({ thinking }: GeminiModel): boolean =>
  thinking !== undefined && (!("least" in thinking) || thinking.least > 0);

/** The `thinkingConfig` for a budget in tokens; `undefined` if the model accepts no number. */
export function budgetFor(tokens: number, { thinking }: GeminiModel): JsonObject | undefined {
  return thinking && "least" in thinking
    ? { thinkingBudget: within(thinking, Math.floor(tokens)), includeThoughts: true }
    : undefined;
}

const within = ({ least, most }: Budget, tokens: number) => Math.max(least, Math.min(tokens, most));
