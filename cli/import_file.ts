/** `sluice import litellm`: reads a file, writes options to standard output, and what is left to do to standard error. */
import { readFile } from "node:fs/promises";
import { UserError } from "./errors.ts";
import { importLitellm } from "./import_litellm.ts";

/** @throws UserError if the file cannot be read, or is not a `config.yaml` of LiteLLM's proxy. */
export async function importFile(path: string): Promise<void> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw new UserError(`sluice: ${path} cannot be read: ${(error as Error).message.split(",")[0]}`);
  }
  const { config, variables, left } = read(text, path);
  console.log(JSON.stringify(config, null, 2));
  if (variables.length > 0) console.error(`Set these variables:\n${lines(variables)}`);
  if (left.length > 0) console.error(`These settings are not in the options:\n${lines(left)}`);
}

function read(text: string, path: string): ReturnType<typeof importLitellm> {
  try {
    return importLitellm(text);
  } catch (error) {
    throw new UserError(`sluice: ${path} cannot be imported: ${(error as Error).message}`);
  }
}

const lines = (texts: readonly string[]) => texts.map((text) => `  ${text}`).join("\n");
