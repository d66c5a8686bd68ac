/** Derives an environment variable for each option from the options' schema. Options that are functions have none. */
import { isObject } from "../../wires/shared/json.ts";
import { bare, entriesOf, kindsOf, type Schema } from "./check.ts";
import { readJsonText, readListText, readSwitchText } from "./texts.ts";

/** A variable that sets an option. */
export interface OptionVariable {
  /** `SLUICE_LIMITS_MAX_BODY_BYTES` */
  name: string;
  /** `["limits", "maxBodyBytes"]` */
  path: readonly string[];
  /** Whether the value's members are added to those of the file, so that a variable can change one row of several. */
  adds?: boolean;
  /**
   * Reads the value without checking it. Text that is not of the option's kind stays text; the schema refuses it later.
   *
   * @throws TypeError for text that begins like JSON but is not JSON.
   */
  read(text: string): unknown;
}

/** The variables of a schema's options. An object has a variable for its JSON, and each of its members has one too. */
export function optionVariables(schema: Schema, path: readonly string[] = []): OptionVariable[] {
  return Object.entries(entriesOf(schema) ?? {}).flatMap(([key, entry]) => {
    const inner = bare(entry);
    if (inner.type === "function" || key.startsWith("$")) return [];
    const at = [...path, key];
    const variable = { name: variableOf(at), path: at, adds: inner.type === "record", read: readerOf(inner) };
    return [variable, ...optionVariables(inner, at)];
  });
}

/** `SLUICE_LIMITS_MAX_BODY_BYTES` of `limits.maxBodyBytes` */
function variableOf(path: readonly string[]): string {
  const words = path.map((key) => key.replaceAll(/[A-Z]/g, "_$&").toUpperCase());
  return `SLUICE_${words.join("_")}`;
}

function readerOf(schema: Schema): OptionVariable["read"] {
  switch (schema.type) {
    case "string":
    case "picklist":
      return (text) => text.trim();
    case "boolean":
      return (text) => readSwitchText(text) ?? text;
    case "number":
      return asNumber;
    case "array":
      return readListText;
    case "union":
      return (text) =>
        /^\s*[[{"]/.test(text)
          ? readJsonText(text)
          : (isSwitch(schema) ? readSwitchText(text) : undefined) ?? asNumber(text);
    default:
      return readObject;
  }
}

const isSwitch = (schema: Schema) => kindsOf(schema).some(({ type }) => type === "boolean");

const asNumber = (text: string) => /^\s*-?\d+(\.\d*[1-9])?\s*$/.test(text) ? Number(text) : text;

/** @throws TypeError whose message continues "Cannot use NAME: ". It never quotes the text, which may hold secrets. */
export function readObject(text: string): Record<string, unknown> {
  const value = readJsonText(text);
  if (isObject(value)) return value;
  throw new TypeError("it must be a JSON object");
}
