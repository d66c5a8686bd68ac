/** The shapes of answers, for the OpenAPI document. Answers of providers may have further members. */
import * as v from "npm:valibot@1.5.0";

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const object = v.looseObject({});
const orNull = <const S extends v.GenericSchema>(schema: S) => v.optional(v.nullable(schema));

// ---------------------------------------------------------------- errors

/** An error as clients of OpenAI read it. */
export const OPENAI_ERROR = v.looseObject({
  error: v.looseObject({
    message: v.string(),
    type: v.string(),
    code: orNull(v.union([v.string(), v.number()])),
    param: orNull(v.string()),
  }),
});

/** An error as clients of Anthropic read it. */
export const ANTHROPIC_ERROR = v.looseObject({
  type: v.literal("error"),
  error: v.looseObject({ type: v.string(), message: v.string() }),
  request_id: orNull(v.string()),
});

const NOTE = v.looseObject({ code: v.number(), message: v.string() });

/** An error of Cloudflare's gateway. */
export const GATEWAY_ERROR = v.looseObject({
  success: v.literal(false),
  error: v.array(NOTE),
  message: v.string(),
  httpCode: v.number(),
  internalCode: v.number(),
});

/** An error of Cloudflare's REST API. */
export const REST_ERROR = v.looseObject({
  success: v.literal(false),
  errors: v.array(NOTE),
  result: v.null(),
});

// ---------------------------------------------------------------- models' answers

export const CHAT = v.looseObject({
  id: v.string(),
  object: v.literal("chat.completion"),
  created: count,
  model: v.string(),
  choices: v.array(v.looseObject({
    index: count,
    message: v.looseObject({
      role: v.literal("assistant"),
      content: orNull(v.string()),
      tool_calls: v.optional(v.array(object)),
    }),
    finish_reason: v.nullable(v.string()),
  })),
  usage: v.optional(v.looseObject({ prompt_tokens: count, completion_tokens: count, total_tokens: count })),
});

export const RESPONSE = v.looseObject({
  id: v.string(),
  object: v.literal("response"),
  status: v.string(),
  model: v.string(),
  output: v.array(v.looseObject({ type: v.string() })),
  usage: orNull(v.looseObject({ input_tokens: count, output_tokens: count })),
});

export const COMPACTION = v.looseObject({
  id: v.string(),
  output: v.array(v.looseObject({ type: v.string() })),
});

export const MESSAGE = v.looseObject({
  id: v.string(),
  type: v.literal("message"),
  role: v.literal("assistant"),
  model: v.string(),
  content: v.array(v.looseObject({ type: v.string() })),
  stop_reason: v.nullable(v.string()),
  usage: v.looseObject({ input_tokens: count, output_tokens: count }),
});

export const TOKENS = v.looseObject({ input_tokens: count });

export const EMBEDDINGS = v.looseObject({
  object: v.literal("list"),
  data: v.array(v.looseObject({
    object: v.literal("embedding"),
    index: count,
    embedding: v.union([v.array(v.number()), v.string()]),
  })),
  model: v.string(),
});

export const MODEL = v.looseObject({
  id: v.string(),
  object: v.literal("model"),
  created: count,
  owned_by: v.string(),
});
export const MODELS = v.looseObject({ object: v.literal("list"), data: v.array(MODEL) });

/** The answer to a request with `sluice-explain: true`. */
export const EXPLANATION = v.looseObject({ object: v.literal("sluice.explanation") });

/** A virtual key. Only the answer that makes it, or rotates it, has its secret. */
export const KEY = v.looseObject({ id: v.string(), name: v.string(), secret: v.optional(v.string()) });

export const KEYS = v.looseObject({ keys: v.array(v.looseObject({ name: v.string() })) });

/** Whatever a provider answers. */
export const ANY = object;

// ---------------------------------------------------------------- the gateway's own answers

export const HEALTH = v.looseObject({ status: v.literal("ok") });

/** A row of a request. */
const ROW = v.looseObject({ id: v.string(), time: v.string(), path: v.string(), status: count });

export const ROWS = v.looseObject({ rows: v.array(ROW) });

const SUMS = v.looseObject({ requests: count, errors: count, cost: v.number() });

export const STATS = v.looseObject({
  span: v.string(),
  points: v.array(v.looseObject({ at: v.string(), ...SUMS.entries })),
  totals: SUMS,
  models: v.array(v.looseObject({ name: v.string(), ...SUMS.entries })),
});

export const PROVIDERS = v.looseObject({
  providers: v.array(v.looseObject({
    name: v.string(),
    aliases: v.array(v.string()),
    key: v.picklist(["stored", "none", "none is needed"]),
    variables: v.array(v.string()),
  })),
});

export const CACHE = v.looseObject({ ttl: count, shared: v.boolean(), hits: count, misses: count });

export const ME = v.looseObject({
  name: v.string(),
  gateways: v.nullable(v.array(v.string())),
  providers: v.nullable(v.array(v.string())),
  models: v.nullable(v.array(v.string())),
  limits: object,
  budgets: v.array(object),
});

// ---------------------------------------------------------------- Cloudflare's envelope

const enveloped = <const S extends v.GenericSchema>(result: S) =>
  v.looseObject({ success: v.literal(true), errors: v.array(NOTE), messages: v.array(v.unknown()), result });

export const ENVELOPE = enveloped(ANY);
export const ENVELOPE_OF_LIST = enveloped(v.array(object));
export const ENVELOPE_OF_TEXT = enveloped(v.string());
