/** OpenAI's own description of its answers, if it is stored beside the project. */
import { Ajv } from "npm:ajv@8.20.0";

const FILE = new URL("../../../../shared/spec/openai-chat.json", import.meta.url);

function compile() {
  let text: string;
  try {
    text = Deno.readTextFileSync(FILE);
  } catch {
    return undefined;
  }
  // The description is in OpenAPI's dialect, which says `nullable` where JSON Schema has a type.
  const { $defs } = JSON.parse(text, (_key, value) => {
    if (value?.nullable !== true) return value;
    const { nullable: _nullable, ...schema } = value;
    return { anyOf: [schema, { type: "null" }] };
  });
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  const validate = (name: string) => {
    const check = ajv.compile({ $ref: `#/$defs/${name}`, $defs });
    return (value: unknown): string => check(value) ? "" : ajv.errorsText(check.errors);
  };
  return {
    completion: validate("CreateChatCompletionResponse"),
    chunk: validate("CreateChatCompletionStreamResponse"),
    error: validate("ErrorResponse"),
  };
}

const schemas = compile();

/** The faults of a value; empty if it has none or if the description is missing. */
export const faultsOf: NonNullable<typeof schemas> = schemas ??
  { completion: () => "", chunk: () => "", error: () => "" };
