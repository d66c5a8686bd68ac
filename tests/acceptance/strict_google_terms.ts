/**
 * The refusals of Google's generateContent about settings, tools, schemas and results, in its own words if they are
 * known.
 */
import type { Json } from "./lab.ts";

/** The thinking levels by model, from the tables of ai.google.dev; `budget` for 2.5; empty if thinking is refused. */
function levelsOf(model: string): string[] | "budget" | undefined {
  if (/gemini-3.*flash.*-image|gemini-nano-banana|gemma-4/.test(model)) return ["MINIMAL", "HIGH"];
  if (/gemini-3(\.0)?-pro/.test(model)) return ["LOW", "HIGH"];
  if (/tts|transcribe|gemini-[12]\.[05]-?.*image|gemma-[123]|learnlm|gemini-(1|2\.0)/.test(model)) {
    return undefined;
  }
  if (/gemini-2\.5|robotics-er-1/.test(model)) return "budget";
  if (/gemini-(3\.[1-9]-pro|3\.[78]|4|flash-latest|pro-latest|omni)/.test(model)) {
    return ["LOW", "MEDIUM", "HIGH"];
  }
  return ["MINIMAL", "LOW", "MEDIUM", "HIGH"];
}

export function findTermsFault(body: Json, model: string): string | undefined {
  const config = (body.generationConfig ?? {}) as Json;
  const calls = ((body.tools ?? []) as Json[]).some(({ functionDeclarations }) => functionDeclarations);
  if (
    calls && config.responseMimeType === "application/json" && /gemini-[12]|gemma|robotics-er-1/.test(model)
  ) {
    return "Function calling with a response mime type: 'application/json' is unsupported";
  }
  return findConfigFault(config, model) ?? findToolsFault(body) ??
    (body.systemInstruction && /gemma-[123]/.test(model)
      ? `Developer instruction is not enabled for models/${model}`
      : undefined);
}

function findConfigFault(config: Json, model: string): string | undefined {
  const { candidateCount, frequencyPenalty, presencePenalty, thinkingConfig, responseJsonSchema } = config;
  if (Number(candidateCount ?? 1) > 1 && !/gemini-(1|2\.0|2\.5-(flash|pro)$)/.test(model)) {
    return "Multiple candidates is not enabled for this model";
  }
  if ((frequencyPenalty || presencePenalty) && !/gemini-2\.0/.test(model)) {
    return "Penalty is not enabled for this model";
  }
  if (thinkingConfig) {
    const { thinkingLevel, thinkingBudget } = thinkingConfig as Json;
    const levels = levelsOf(model);
    if (!levels) return "Thinking is not enabled for this model";
    if (levels === "budget" && thinkingLevel) return "Thinking level is not supported for this model.";
    if (thinkingBudget === 0 && /2\.5-pro/.test(model)) {
      return "Budget 0 is invalid. This model only works in thinking mode.";
    }
    if (thinkingLevel && !(levels as string[]).includes(thinkingLevel as string)) {
      return `Thinking level ${thinkingLevel} is not supported for this model.`;
    }
  }
  return responseJsonSchema === undefined
    ? undefined
    : findSchemaFault(responseJsonSchema, "response_json_schema");
}

function findToolsFault(body: Json): string | undefined {
  const declared = ((body.tools ?? []) as Json[]).flatMap(({ functionDeclarations }) =>
    (functionDeclarations ?? []) as Json[]
  );
  for (const [at, { name, parametersJsonSchema, ...more }] of declared.entries()) {
    const here = `tools[0].function_declarations[${at}]`;
    if (more.parameters !== undefined && parametersJsonSchema !== undefined) return "only one schema";
    const stray = Object.keys(more).find((key) =>
      !["description", "parameters", "response", "behavior"].includes(key)
    );
    if (stray) return `Unknown name "${stray}" at '${here}'`;
    const fault = findName(name) ??
      (parametersJsonSchema && findSchemaFault(parametersJsonSchema, `${here}.parameters`));
    if (fault) return fault as string;
  }
  const { mode, allowedFunctionNames } = ((body.toolConfig as Json)?.functionCallingConfig ?? {}) as Json;
  if (allowedFunctionNames) {
    if (mode !== "ANY" && mode !== "VALIDATED") return "allowed_function_names is for ANY and VALIDATED only";
    const unknown = (allowedFunctionNames as string[]).find((name) =>
      !declared.some((one) => one.name === name)
    );
    if (unknown) return `allowed_function_names has "${unknown}", which is not declared`;
  }
  if (mode && declared.length === 0) return "Function calling config is set without function_declarations.";
}

export function findName(name: unknown): string | undefined {
  return typeof name === "string" && /^[A-Za-z_][A-Za-z0-9_.:-]{0,127}$/.test(name)
    ? undefined
    : "Invalid function name. Must start with a letter or an underscore. Must be alphameric (a-z, A-Z, 0-9), underscores " +
      "(_), dots (.), colons (:) or dashes (-), with a maximum length of 128.";
}

/** The media types that parts of a result may have. */
const TYPES = ["image/png", "image/jpeg", "image/webp", "application/pdf", "text/plain"];

export function findResultFault({ response, parts }: Json, model: string): string | undefined {
  const ref = findRef(response);
  if (ref !== undefined) {
    return `The referenced name \`${ref}\` in function_response.response does not match to a display_name in the ` +
      "function_response.parts.";
  }
  for (const part of (parts ?? []) as Json[]) {
    if (/gemini-[12]|gemma|robotics-er-1/.test(model)) {
      return "Multimodal function response is not supported.";
    }
    const stray = Object.keys(part).find((key) => key !== "inlineData" && key !== "mediaProcessing");
    if (stray) {
      return `Invalid JSON payload received. Unknown name "${stray}" at 'function_response.parts[0]'`;
    }
    const { mimeType } = part.inlineData as Json;
    if (!TYPES.includes(mimeType as string)) return `Unsupported MIME type in function response: ${mimeType}`;
  }
}

function findRef(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  if (Object.hasOwn(value, "$ref")) return String((value as Json).$ref);
  return Object.values(value).map(findRef).find((found) => found !== undefined);
}

/** Checks a schema: a reference must lead somewhere and stand alone, and an enum has strings and numbers. */
export function findSchemaFault(root: unknown, path: string): string | undefined {
  const visit = (schema: unknown, at: string): string | undefined => {
    if (typeof schema !== "object" || schema === null) return undefined;
    const { $ref, properties, $defs, items, additionalProperties, enum: values, ...more } = schema as Json;
    const stray = (values as unknown[] | undefined)?.find((one) =>
      !["string", "number"].includes(typeof one) && one !== null
    );
    if (stray !== undefined) return `Invalid value at '${at}.enum' (TYPE_STRING), ${JSON.stringify(stray)}`;
    if ($ref !== undefined) {
      if (!leads($ref, root)) return `reference to undefined schema at ${at}`;
      const beside = Object.keys(schema).find((key) => !key.startsWith("$"));
      if (beside) return `$ref was set alongside unsupported fields at ${at}: ${beside}`;
    }
    const maps = Object.entries({ ...properties as Json, ...$defs as Json });
    const lists = ["anyOf", "oneOf", "prefixItems"].flatMap((key) => (more[key] ?? []) as unknown[]);
    return [
      ...maps.map(([name, one]) => visit(one, `${at}.properties.${name}`)),
      ...lists.map((one) => visit(one, at)),
    ]
      .find(Boolean) ?? visit(items, at) ?? visit(additionalProperties, at);
  };
  return visit(root, path);
}

function leads(ref: unknown, root: unknown): boolean {
  if (ref === "#") return true;
  if (typeof ref !== "string" || !ref.startsWith("#/$defs/")) return false;
  return Object.hasOwn(((root as Json).$defs ?? {}) as Json, ref.slice("#/$defs/".length));
}
