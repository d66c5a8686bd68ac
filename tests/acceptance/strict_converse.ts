/**
 * Amazon's Converse as far as it refuses things: by the shapes of `@aws-sdk/client-bedrock-runtime` 3.1164.0 (members, types,
 * bounds and patterns), and by what the service was seen to refuse, in its words where they are known. It answers in Amazon's
 * frames.
 *
 * @see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
 */
import { encode } from "../wires/streams/aws_messages.ts";
import type { Asked, Json, Script } from "./lab.ts";
import { scripted } from "./lab.ts";
import { rules } from "./strict_converse_rules.ts";

export const EVENT_STREAM = "application/vnd.amazon.eventstream";

// deno-lint-ignore no-explicit-any -- Bodies of any shape.
type Any = any;

/** A shape of the SDK: a type with bounds, or the members of a structure; `?` marks those that may be missing. */
type Shape =
  | { text: [least: number, most: number, pattern?: RegExp] }
  | { number: [least: number, most: number] }
  | { list: Shape; most?: number; least?: number }
  | { map: Shape; most?: number }
  | { one: readonly string[] }
  | { of: Record<string, Shape> }
  | { union: Record<string, Shape> }
  | "bytes"
  | "boolean"
  | "document";

const text = (least = 0, most = Infinity, pattern?: RegExp): Shape => ({ text: [least, most, pattern] });
const one = (words: string): Shape => ({ one: words.split(" ") });
const s3: Shape = { of: { uri: text(1, 1024, /^s3:\/\//), "bucketOwner?": text(12, 12, /^\d+$/) } };
const cachePoint: Shape = { of: { type: one("default"), "ttl?": one("5m 1h") } };
const source: Shape = { union: { bytes: "bytes", s3Location: s3 } };
const image: Shape = { of: { format: one("png jpeg gif webp"), source } };
const video: Shape = { of: { format: one("mkv mov mp4 webm flv mpeg mpg wmv three_gp"), source } };
const audio: Shape = {
  of: { format: one("mp3 opus wav aac flac mp4 ogg mkv mka x-aac m4a mpeg mpga pcm webm"), source },
};
const document: Shape = {
  of: {
    "format?": one("pdf csv doc docx xls xlsx html txt md"),
    name: text(1, 200),
    source: {
      union: {
        bytes: "bytes",
        s3Location: s3,
        text: text(),
        content: { list: { union: { text: text(1) } } },
      },
    },
    "context?": text(),
    "citations?": { of: { enabled: "boolean" } },
  },
};
const guard: Shape = {
  union: {
    text: {
      of: { text: text(), "qualifiers?": { list: one("grounding_source query guard_content") } },
    },
    image: { of: { format: one("png jpeg"), source: { union: { bytes: "bytes" } } } },
  },
};
const id = text(1, 64, /^[a-zA-Z0-9_-]+$/);
const name = text(1, 64, /^[a-zA-Z0-9_-]+$/);
const found: Shape = { of: { source: text(), title: text(), content: "document", "citations?": "document" } };

const block: Shape = {
  union: {
    text: text(),
    image,
    video,
    audio,
    document,
    guardContent: guard,
    cachePoint,
    searchResult: found,
    toolUse: { of: { toolUseId: id, name, input: "document", "type?": one("server_tool_use") } },
    toolResult: {
      of: {
        toolUseId: id,
        content: {
          list: { union: { text: text(), json: "document", image, video, document, searchResult: found } },
        },
        "status?": one("success error"),
        "type?": text(),
      },
    },
    reasoningContent: {
      union: { reasoningText: { of: { text: text(), "signature?": text() } }, redactedContent: "bytes" },
    },
    citationsContent: { of: { "content?": "document", "citations?": "document" } },
  },
};

const REQUEST: Shape = {
  of: {
    messages: { list: { of: { role: one("user assistant"), content: { list: block } } } },
    "system?": { list: { union: { text: text(1), guardContent: guard, cachePoint } } },
    "inferenceConfig?": {
      of: {
        "maxTokens?": { number: [1, Infinity] },
        "temperature?": { number: [0, 1] },
        "topP?": { number: [0, 1] },
        "stopSequences?": { list: text(1), most: 2500 },
      },
    },
    "toolConfig?": {
      of: {
        tools: {
          least: 1,
          list: {
            union: {
              toolSpec: {
                of: {
                  name,
                  "description?": text(1),
                  inputSchema: { union: { json: "document" } },
                  "strict?": "boolean",
                },
              },
              systemTool: { of: { name } },
              cachePoint,
            },
          },
        },
        "toolChoice?": { union: { auto: { of: {} }, any: { of: {} }, tool: { of: { name } } } },
      },
    },
    "guardrailConfig?": {
      of: {
        "guardrailIdentifier?": text(0, 2048),
        "guardrailVersion?": text(0, 5),
        "trace?": one("enabled disabled enabled_full"),
        "streamProcessingMode?": one("sync async"),
      },
    },
    "additionalModelRequestFields?": "document",
    "additionalModelResponseFieldPaths?": { list: text(1, 256), most: 10 },
    "promptVariables?": { map: { union: { text: text() } } },
    "requestMetadata?": { map: text(0, 256, /^[a-zA-Z0-9\s:_@$#=/+,.-]*$/), most: 16 },
    "performanceConfig?": { of: { "latency?": one("standard optimized") } },
    "serviceTier?": { of: { type: one("priority default flex reserved") } },
    "outputConfig?": {
      of: {
        "textFormat?": {
          of: {
            type: one("json_schema"),
            structure: {
              union: {
                jsonSchema: { of: { schema: text(1), "name?": text(1), "description?": text(1) } },
              },
            },
          },
        },
        "effort?": text(1),
      },
    },
  },
};

/** What a value breaks of a shape, in the service's words; `undefined` for nothing. */
function broken(value: Any, shape: Shape, path: string): string | undefined {
  const wrong = (why: string) => `Value at '${path}' failed to satisfy constraint: ${why}`;
  if (shape === "document") return value === undefined ? wrong("Member must not be null") : undefined;
  if (shape === "boolean") return typeof value === "boolean" ? undefined : wrong("Member must be a boolean");
  if (shape === "bytes") {
    return typeof value === "string" && /^[A-Za-z0-9+/]+=*$/.test(value) ? undefined : wrong("not base64");
  }
  if ("text" in shape) {
    const [least, most, pattern] = shape.text;
    if (typeof value !== "string") return wrong("Member must be a string");
    if (value.length < least || value.length > most) {
      return wrong(`Member must have length ${least} to ${most}`);
    }
    return pattern && !pattern.test(value)
      ? wrong(`Member must satisfy regular expression ${pattern}`)
      : undefined;
  }
  if ("number" in shape) {
    const [least, most] = shape.number;
    return typeof value === "number" && value >= least && value <= most
      ? undefined
      : wrong(`${least} to ${most}`);
  }
  if ("one" in shape) return shape.one.includes(value) ? undefined : wrong(`one of ${shape.one}`);
  if ("list" in shape) {
    if (!Array.isArray(value)) return wrong("Member must be a list");
    if (value.length > (shape.most ?? Infinity) || value.length < (shape.least ?? 0)) return wrong("length");
    return first(value, (item, at) => broken(item, shape.list, `${path}.${at}.member`));
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return wrong("Member must be a structure");
  }
  const entries = Object.entries(value);
  if ("map" in shape) {
    if (entries.length > (shape.most ?? Infinity)) return wrong("length");
    return first(entries, ([key, item]) => broken(item, shape.map, `${path}.${key}`));
  }
  const members = "union" in shape ? shape.union : shape.of;
  if ("union" in shape && entries.length !== 1) return wrong("exactly one member of a union must be set");
  const unknown = entries.find(([key]) => !(key in members) && !(`${key}?` in members));
  if (unknown) return `extraneous key [${unknown[0]}] is not permitted at ${path}`;
  return first(Object.entries(members), ([key, inner]) => {
    const bare = key.replace(/\?$/, "");
    if (value[bare] === undefined) {
      return "union" in shape || key.endsWith("?") ? undefined : `${path}.${bare}: Member must not be null`;
    }
    return broken(value[bare], inner, path === "" ? bare : `${path}.${bare}`);
  });
}

function first<T>(list: T[], find: (item: T, at: number) => string | undefined): string | undefined {
  for (const [at, item] of list.entries()) {
    const found = find(item, at);
    if (found !== undefined) return found;
  }
}

// ---------------------------------------------------------------- requests

/** Why the service refuses a request; `undefined` if it takes it. */
export function refusal({ url, body }: Asked): string | undefined {
  const [, model, verb] = /^\/model\/([^/]+)\/(converse|converse-stream)$/.exec(url.pathname) ?? [];
  if (verb === undefined) return `no such path: ${url.pathname}`;
  return broken(body, REQUEST, "") ?? rules(body, decodeURIComponent(model));
}

/** An error as the service answers it. */
export const awsError = (status: number, name: string, message: string) =>
  Response.json({ message }, {
    status,
    headers: { "x-amzn-errortype": `${name}:http://internal.amazon.com/coral/com.amazon.bedrock/` },
  });

const USAGE = { inputTokens: 12, outputTokens: 30, totalTokens: 42 };

/** A provider that answers with these contents in order, and refuses what Converse refuses. */
export function strictConverse(script: Script<Json[]>) {
  const next = scripted(script);
  const binding = boundProofs();
  const play = (asked: Asked): Response => {
    const why = refusal(asked) ?? binding.check(asked);
    if (why !== undefined) return awsError(400, "ValidationException", why);
    const content = next(asked);
    if (content instanceof Response) return content;
    binding.sign(asked, content);
    const stopReason = content.some((block) => block.toolUse) ? "tool_use" : "end_turn";
    return asked.url.pathname.endsWith("-stream") ? framed(eventsOf(content, stopReason)) : Response.json({
      metrics: { latencyMs: 1 },
      output: { message: { role: "assistant", content } },
      stopReason,
      usage: USAGE,
    });
  };
  return { play, check: refusal };
}

/** These models refuse a thought behind anything but what it was thought behind, caching aside. */
const BINDING = /claude-(opus-5-5|sonnet-5-5|haiku-5-5|fable-5-[12]|mythos-5-[12])/;

function boundProofs() {
  const behind = new Map<string, Set<string>>();
  const bare = (value: Any): string =>
    JSON.stringify(
      value ?? [],
      (_, one) => Array.isArray(one) ? one.filter((part) => !part?.cachePoint) : one,
    );
  /** Each proof of a request, with all that stands before it. */
  const proofs = ({ system, toolConfig, messages }: Any): [proof: string, before: string][] => {
    let before = bare(system) + bare(toolConfig?.tools);
    return messages.flatMap(({ role, content }: Any) =>
      content.flatMap((block: Any) => {
        const { reasoningText, redactedContent } = block.reasoningContent ?? {};
        const proof = reasoningText?.signature ?? redactedContent;
        const place = before;
        if (!block.cachePoint) before += role + bare(block);
        return proof ? [[proof, place]] : [];
      })
    );
  };
  return {
    check({ url, body }: Asked): string | undefined {
      if (!BINDING.test(decodeURIComponent(url.pathname))) return undefined;
      const isOther = proofs(body).some(([proof, before]) => behind.get(proof)?.has(before) === false);
      return isOther ? "The block is bound to a different conversation." : undefined;
    },
    sign({ body }: Asked, content: Json[]): void {
      const messages = [...body.messages as Json[], { role: "assistant", content }];
      for (const [proof, before] of proofs({ ...body, messages })) {
        behind.set(proof, (behind.get(proof) ?? new Set()).add(before));
      }
    },
  };
}

// ---------------------------------------------------------------- streams

/** One event: its name, and its payload. */
export type AwsEvent = readonly [name: string, payload: unknown];

/** A payload as bytes, one character for each: `encode` writes characters. */
const bytesOf = (text: string) =>
  Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");

/** The frame of an event; of an exception where the name is one's. */
export function frame([name, payload]: AwsEvent): Uint8Array<ArrayBuffer> {
  const kind = name.endsWith("Exception") ? "exception" : "event";
  const headers = {
    [`:${kind}-type`]: name,
    ":content-type": "application/json",
    ":message-type": kind,
  };
  return encode(headers, bytesOf(JSON.stringify(payload))) as Uint8Array<ArrayBuffer>;
}

export const framed = (events: readonly AwsEvent[]) =>
  new Response(new Blob(events.map(frame)), { headers: { "content-type": EVENT_STREAM } });

/** The events of an answer. */
function eventsOf(content: Json[], stopReason: string): AwsEvent[] {
  const padding = { p: "abcdefg" };
  return [
    ["messageStart", { role: "assistant", ...padding }],
    ...content.flatMap((block, contentBlockIndex): AwsEvent[] => {
      const { text, toolUse, reasoningContent } = block as Any;
      const delta = (
        delta: Json,
      ): AwsEvent => ["contentBlockDelta", { contentBlockIndex, delta, ...padding }];
      const pieces = (said: string) => said.match(/[^]{1,5}/g) ?? [];
      const { input, ...head } = toolUse ?? {};
      const { reasoningText, redactedContent } = reasoningContent ?? {};
      return [
        ...(toolUse
          ? [["contentBlockStart", { contentBlockIndex, start: { toolUse: head }, ...padding }] as const]
          : []),
        ...(text === undefined ? [] : pieces(text).map((text) => delta({ text }))),
        ...(toolUse ? pieces(JSON.stringify(input)).map((input) => delta({ toolUse: { input } })) : []),
        ...(reasoningText
          ? pieces(reasoningText.text).map((text) => delta({ reasoningContent: { text } }))
          : []),
        ...(reasoningText?.signature
          ? [delta({ reasoningContent: { signature: reasoningText.signature } })]
          : []),
        ...(redactedContent ? [delta({ reasoningContent: { redactedContent } })] : []),
        ["contentBlockStop", { contentBlockIndex, ...padding }],
      ];
    }),
    ["messageStop", { stopReason, ...padding }],
    ["metadata", { usage: USAGE, metrics: { latencyMs: 1 }, ...padding }],
  ];
}
