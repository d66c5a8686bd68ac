/** `sluice check`: asks each provider with a stored key for its list of models. */
import type { StoredKeys } from "../gateway/access/stored_keys.ts";
import { createGateway } from "../gateway/gateway.ts";
import type { Host } from "../gateway/serve/hosts.ts";
import { type Overrides, readSettings } from "../gateway/serve/run.ts";
import { readEnv } from "../gateway/setup/env.ts";
import type { Options } from "../gateway/setup/options.ts";
import { findProvider } from "../providers/table.ts";
import { isObject, object } from "../wires/shared/json.ts";
import { UserError } from "./errors.ts";

/** The longest wait for a list, in milliseconds. */
const DEADLINE_MS = 15_000;

/** The result for one key: it works, it does not work, or it could not be tried. */
interface Finding {
  mark: "✓" | "✗" | "–";
  text: string;
}

/** A stored key. */
interface Stored {
  provider: string;
  /** The provider, with the key's alias or number if it has several. */
  label: string;
  key: string;
}

/**
 * Checks all stored keys and prints a line for each.
 *
 * @throws UserError if no provider has a stored key, or if a key cannot be used.
 */
export async function check(host: Host, overrides: Overrides): Promise<void> {
  host.prepare?.();
  const { env, file, told } = await readSettings(host, overrides);
  const { options, warnings } = readEnv(env, host.names(), file);
  for (const warning of [...told, ...warnings]) console.error(`Warning: ${warning}`);
  const keys = Object.entries(options.keys ?? {}).flatMap(([provider, stored]) => keysOf(provider, stored));
  if (keys.length === 0) {
    throw new UserError("No provider has a stored key: set its variable, e.g. OPENAI_API_KEY");
  }
  const width = Math.max(...keys.map(({ label }) => label.length));
  const findings = keys.map((key) => find(key, options));
  let bad = 0;
  for (const [at, { label }] of keys.entries()) {
    const { mark, text } = await findings[at];
    if (mark === "✗") bad++;
    console.log(`${mark} ${label.padEnd(width)}  ${text}`);
  }
  if (bad > 0) {
    throw new UserError(`${bad} of ${keys.length} ${keys.length === 1 ? "key" : "keys"} cannot be used`);
  }
}

function keysOf(provider: string, stored: StoredKeys): Stored[] {
  const byAlias = isObject(stored) ? stored : { default: stored };
  return Object.entries(byAlias).flatMap(([alias, list]) => {
    const keys = [list].flat() as string[];
    return keys.map((key, at) => {
      const words = [
        provider,
        ...alias === "default" ? [] : [alias],
        ...keys.length > 1 ? [`${at + 1}`] : [],
      ];
      return { provider, label: words.join(" "), key };
    });
  });
}

/** Asks a provider with one key, through a gateway that has only this key. */
async function find({ provider, key }: Stored, options: Options): Promise<Finding> {
  const { chat, modelsPath = chat === false ? false : "/models" } = findProvider(provider) ?? {};
  if (modelsPath === false) return { mark: "–", text: "it has no list of models, so the key was not tried" };
  const { providers, allowHttp, account } = options;
  const gateway = createGateway({ providers, allowHttp, account, keys: { [provider]: key } });
  const signal = AbortSignal.timeout(DEADLINE_MS);
  try {
    const url = `http://localhost/v1/-/default/${provider}${modelsPath}`;
    const response = await gateway.call(new Request(url, { signal }));
    const body = await response.json().catch(() => undefined);
    return response.ok ? counted(body) : { mark: "✗", text: reason(response.status, body) };
  } catch (error) {
    if (signal.aborted) return { mark: "✗", text: `it did not answer within ${DEADLINE_MS / 1000} s` };
    return { mark: "✗", text: (error as Error).message };
  } finally {
    await gateway.close();
  }
}

function counted(body: unknown): Finding {
  const { data, models, result } = object(body) ?? {};
  const list = [body, data, models, result].find(Array.isArray);
  if (list === undefined) return { mark: "✗", text: "its answer is not a list of models" };
  return { mark: "✓", text: `${list.length} ${list.length === 1 ? "model" : "models"}` };
}

/** The reason why a provider gave no list. Its own text is not shown, because it may quote the key. */
function reason(status: number, body: unknown): string {
  if (status === 401 || status === 403) return `${status}: it refuses the key`;
  if (status === 429) return "429: the key is over a limit of the provider";
  const { success, error } = object(body) ?? {};
  const [first] = Array.isArray(error) ? error : [];
  const message = object(first)?.message;
  // The gateway's own words.
  if (success === false && typeof message === "string" && status >= 500) return message;
  return `it answered ${status}`;
}
