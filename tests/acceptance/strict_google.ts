/**
 * The refusals of Google's generateContent, in its own words if they are known.
 *
 * @see https://ai.google.dev/gemini-api/docs/function-calling
 * @see https://ai.google.dev/gemini-api/docs/thought-signatures
 */
import { type Asked, events, type Json, type Script, scripted, sse } from "./lab.ts";
import { findName, findResultFault, findTermsFault } from "./strict_google_terms.ts";

const FIELDS = new Set(
  ("cachedContent contents continuationToken generationConfig labels model safetySettings serviceTier store " +
    "systemInstruction toolConfig tools").split(" "),
);
const DATA = [
  "text",
  "inlineData",
  "fileData",
  "functionCall",
  "functionResponse",
  "executableCode",
  "codeExecutionResult",
  "toolCall",
  "toolResponse",
];
/** The signature that Google documents for tool calls that its model did not make. */
const FOREIGN = "skip_thought_signature_validator";

/**
 * A provider that answers the turns (each a list of parts) in order, and refuses what Google would.
 *
 * @param demandsOwn Whether a call that it made must come back with its own signature.
 * @param issued Signatures of calls that it made earlier, by name.
 */
export function strictGoogle(
  turns: Script<Json[]>,
  { demandsOwn = true, issued = {} as Record<string, string> } = {},
) {
  const signed = new Map(Object.entries(issued));
  const next = scripted(turns);
  let answers = 0;
  const play = (asked: Asked): Response => {
    const fault = find(asked, signed, demandsOwn);
    if (fault) {
      return Response.json({ error: { code: 400, message: fault, status: "INVALID_ARGUMENT" } }, {
        status: 400,
      });
    }
    if (asked.url.pathname.endsWith(":countTokens")) return Response.json({ totalTokens: 20 });
    const parts = next(asked);
    if (parts instanceof Response) return parts;
    for (const { functionCall, thoughtSignature } of parts) {
      if (functionCall && thoughtSignature) {
        signed.set((functionCall as Json).name as string, thoughtSignature as string);
      }
    }
    const id = `resp${++answers}`;
    return asked.url.pathname.endsWith(":streamGenerateContent")
      ? events(
        sse(parts.map((part, at) => answer(id, [part], at === parts.length - 1))).replaceAll("\n", "\r\n"),
      )
      : Response.json(answer(id, parts, true));
  };
  return { play, check: (asked: Asked) => find(asked, signed, demandsOwn) };
}

const answer = (responseId: string, parts: Json[], last: boolean) => ({
  candidates: [{ content: { role: "model", parts }, index: 0, ...(last && { finishReason: "STOP" }) }],
  usageMetadata: {
    promptTokenCount: 20,
    cachedContentTokenCount: 7,
    candidatesTokenCount: 11,
    thoughtsTokenCount: 9,
    totalTokenCount: 40,
  },
  modelVersion: "gemini-3-pro",
  responseId,
});

function find(
  { url, headers, body }: Asked,
  signed: ReadonlyMap<string, string>,
  demandsOwn: boolean,
): string | undefined {
  const [, model, method] =
    /^\/v1beta\/models\/([^/:]+):(generateContent|streamGenerateContent|countTokens)$/.exec(url.pathname) ??
      [];
  if (!model) return `no such path: ${url}`;
  if (url.search !== (method === "streamGenerateContent" ? "?alt=sse" : "")) {
    return `wrong query: ${url.search}`;
  }
  if (headers.get("x-goog-api-key") !== "key" || headers.has("authorization")) return "API key not valid.";
  if (method === "countTokens") body = body.generateContentRequest as Json;
  const unknown = Object.keys(body).find((field) => !FIELDS.has(field));
  if (unknown) return `Invalid JSON payload received. Unknown name "${unknown}": Cannot find field.`;
  const contents = body.contents as { role: string; parts: Json[] }[];
  if (!Array.isArray(contents) || contents.length === 0) return "contents is not specified";
  let calls: Json[] = [];
  for (const [at, { role, parts, ...more }] of contents.entries()) {
    const here = `contents[${at}]`;
    if (Object.keys(more).length > 0) return `Unknown name "${Object.keys(more)[0]}" at '${here}'`;
    if (role !== "user" && role !== "model") return "Please use a valid role: user, model.";
    if (!Array.isArray(parts) || parts.length === 0) return `${here}.parts must not be empty`;
    for (const [index, part] of parts.entries()) {
      if (
        role === "model" && IMAGE_MODEL.test(model) && !part.thought && part.thoughtSignature === undefined
      ) {
        const what = part.text === undefined ? "Image" : "Text";
        return `${what} part is missing a thought_signature in content position ${at + 1}, part position ${
          index + 1
        }.`;
      }
      if (DATA.filter((name) => part[name] !== undefined).length !== 1) {
        return `${here}: required oneof field 'data' must have one initialized field`;
      }
      if (part.text === "" && part.thoughtSignature === undefined && parts.length > 1) {
        return `${here}: empty text`;
      }
    }
    const responses = membersOf(parts, "functionResponse");
    if (responses.length > 0 && responses.length < parts.length) {
      return /gemini-(3\.[6-9]|[4-9]|flash)/.test(model)
        ? "Requests ending with a model turn are not supported."
        : "Please ensure that function response turn comes immediately after a function call turn.";
    }
    if (responses.length !== calls.length) {
      return "Please ensure that the number of function response parts is equal to the number of function call parts " +
        "of the function call turn.";
    }
    for (const [index, { id, name, response }] of responses.entries()) {
      if (name !== calls[index].name) {
        return `function response ${index} is of ${name}, not of ${calls[index].name}`;
      }
      if (id !== calls[index].id) return `function response ${index} has another id than its call`;
      if (typeof response !== "object" || response === null) return "response must be a struct";
      const fault = findResultFault(responses[index], model);
      if (fault) return fault;
    }
    calls = membersOf(parts, "functionCall");
    if (calls.length === 0) continue;
    if (role !== "model") return "function calls are the model's";
    if (contents[at - 1]?.role !== "user") {
      return "Please ensure that function call turn comes immediately after a user turn or after a function response turn.";
    }
    const first = parts.find((part) => part.functionCall)!;
    const { name, args } = first.functionCall as Json;
    for (const call of calls) if (findName(call.name)) return findName(call.name);
    if (typeof args !== "object" || args === null || Array.isArray(args)) return "args must be a struct";
    const given = first.thoughtSignature;
    if (!given && /gemini-[12]/.test(model)) continue;
    if (!given) return `Function call is missing a thought_signature in functionCall parts: \`${name}\``;
    const own = signed.get(name as string);
    if (own !== undefined && demandsOwn ? given !== own : given !== own && given !== FOREIGN) {
      return "Corrupted thought signature.";
    }
  }
  if (calls.length > 0) return "the last turn is a function call without a response";
  if (contents.at(-1)!.role === "model" && /gemini-(3\.5-flash-lite|3\.[6-9]|[4-9]|flash)/.test(model)) {
    return "Requests ending with a model turn are not supported.";
  }
  return findTermsFault(body, model);
}

const IMAGE_MODEL = /gemini-3.*-image|nano-banana/;

const membersOf = (parts: Json[], name: string) => parts.map((part) => part[name] as Json).filter(Boolean);
