/** A settings file of LiteLLM's proxy while it is read: its sections, and what is made of it. */
import { INSTEAD } from "./litellm_names.ts";

/** What was made of a file. */
export interface Imported {
  /** The options, for the file that `SLUICE_CONFIG` names. */
  config: Options;
  /** Variables to set, each with what it must hold. No value of the file's is repeated here. */
  variables: string[];
  /** Settings without a counterpart, each with its path, and what stands in its place. */
  left: string[];
}

/** The options that a file can lead to. */
export interface Options {
  models?: Record<string, string | string[]>;
  providers?: Record<string, Record<string, unknown>>;
  keys?: Record<string, string | string[]>;
  tokens?: { token: string; name: string }[];
  prices?: Record<string, Record<string, number>>;
  retries?: { maxAttempts: number };
  requestTimeoutMs?: number;
  cache?: { ttl: number; shared: boolean };
  store?: string;
  allowHttp?: true;
  gateways?: Record<string, { limits?: { open: number }; budgets?: { limitUsd: number; window: string }[] }>;
}

export type Section = Record<string, unknown>;

export const isSection = (value: unknown): value is Section =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The name of the variable that a value such as `os.environ/OPENAI_API_KEY` stands for. */
export const variableOf = (value: unknown): string | undefined =>
  typeof value === "string" ? /^os\.environ\/(\w+)$/.exec(value)?.[1] : undefined;

/** Reads a section, and remembers what was read of it. */
export function reader(section: Section, path: string, left: string[]) {
  const rest = new Set(Object.keys(section));
  return {
    path,
    take(name: string): unknown {
      rest.delete(name);
      return section[name] ?? undefined;
    },
    /** Lists the settings that were not taken. */
    end(): void {
      for (const name of rest) {
        if (section[name] === null || section[name] === false) continue;
        const at = path === "" ? name : `${path}.${name}`;
        left.push(`${at}: ${INSTEAD.get(name) ?? "has no counterpart"}`);
      }
    },
  };
}

export type Reader = ReturnType<typeof reader>;
