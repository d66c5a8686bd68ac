/** `sluice keys`: lists, makes, rotates and revokes virtual keys through the operator's API of a running gateway. */
import { parse } from "../wires/shared/json.ts";
import { UserError } from "./errors.ts";

/** A running gateway, and the operator's token for it. */
export interface Operator {
  url: string;
  adminToken: string | undefined;
}

/** A key as the gateway shows it, as far as it is printed. */
interface Key {
  id: string;
  name: string;
  source: string;
  team: string | null;
  expires: string | null;
  disabled: boolean;
  secret?: string;
}

/** The most keys of one request. */
const PAGE = 1000;

/** Prints a line for each key. */
export async function listKeys(operator: Operator, search?: string): Promise<void> {
  let after: string | null = null;
  do {
    const query = new URLSearchParams({ limit: `${PAGE}`, ...search && { search }, ...after && { after } });
    const { keys, next } = await ask(operator, "GET", `?${query}`) as { keys: Key[]; next: string | null };
    for (const key of keys) console.log(lineOf(key));
    if (keys.length === 0) {
      console.error(
        search
          ? `No key has ${JSON.stringify(search)} in it`
          : "There are no keys yet. Make one with: sluice keys make NAME",
      );
    }
    after = next;
  } while (after !== null);
}

/** Makes a key and prints its secret. What else is told goes to standard error, so that a script gets the secret alone. */
export async function makeKey(operator: Operator, facts: object): Promise<void> {
  printSecret(await ask(operator, "POST", "", facts) as Key, "This is its secret, which is not told again:");
}

/** Gives a key a new secret and prints it. */
export async function rotateKey(operator: Operator, key: string, graceSeconds?: number): Promise<void> {
  const path = `/${await idOf(operator, key)}/rotate`;
  const told = await ask(operator, "POST", path, {
    ...graceSeconds !== undefined && { graceSeconds },
  }) as Key;
  printSecret(told, "This is its new secret, which is not told again:");
}

/** Removes a key. */
export async function revokeKey(operator: Operator, key: string): Promise<void> {
  const id = await idOf(operator, key);
  await ask(operator, "DELETE", `/${id}`);
  console.log(`${id} is revoked; a gateway may remember it for another 10 s`);
}

function printSecret(key: Key, says: string): void {
  console.error(`${lineOf(key)}\n${says}`);
  console.log(key.secret);
}

/** `k_0190…  team-a  team growth  until 2027-01-31  disabled` */
function lineOf({ id, name, source, team, expires, disabled }: Key): string {
  return [
    id,
    name,
    team !== null && `team ${team}`,
    expires !== null && `until ${expires}`,
    disabled && "disabled",
    source !== "store" && "of the option tokens",
  ].filter(Boolean).join("  ");
}

/** The id of a key that is given by its id or by its name. */
async function idOf(operator: Operator, key: string): Promise<string> {
  if (/^[kt]_/.test(key)) return encodeURIComponent(key);
  const query = new URLSearchParams({ limit: `${PAGE}`, search: key });
  const { keys } = await ask(operator, "GET", `?${query}`) as { keys: Key[] };
  const found = keys.find(({ name }) => name === key);
  if (!found) throw new UserError(`There is no key named ${JSON.stringify(key)}`);
  return encodeURIComponent(found.id);
}

async function ask(
  { url, adminToken }: Operator,
  method: string,
  path: string,
  body?: object,
): Promise<unknown> {
  if (!adminToken) {
    throw new UserError("No token of the operator is given: set SLUICE_ADMIN_TOKEN, or use --admin-token");
  }
  let response: Response;
  try {
    response = await fetch(`${url}/sluice/api/keys${path}`, {
      method,
      headers: { authorization: `Bearer ${adminToken}`, ...body && { "content-type": "application/json" } },
      ...body && { body: JSON.stringify(body) },
      // A redirect would take the token elsewhere.
      redirect: "error",
    });
  } catch {
    throw new UserError(
      `Cannot reach a gateway at ${url}: is it running? --url or SLUICE_URL names another address`,
    );
  }
  const answer = parse(await response.text()) as { error?: { message?: string } } | undefined;
  if (response.ok && answer !== undefined) return answer;
  throw new UserError(
    answer?.error?.message ?? `The server at ${url} answered ${response.status}: it is not a gateway`,
  );
}
