/** Short-lived tokens that a credential is exchanged for: kept until shortly before they expire, and asked for once. */
import { GatewayError } from "../../wires/errors.ts";
import { parseObject } from "../../wires/shared/json.ts";
import { readAll } from "../../wires/streams/chunks.ts";
import type { Fetch, Provider, Unsigned } from "../types.ts";
import { setUnfixed } from "./key.ts";

/** A token, and when it ends, in milliseconds since 1970. */
export interface Minted {
  token: string;
  endsAt: number;
}

/**
 * Milliseconds before its end from which a token is no longer used, or half of a shorter life: a long answer must not outlive
 * it.
 */
const EARLY_MS = 300_000;

/**
 * Milliseconds for which later requests wait for a request that mints. On Workers a request that was ended takes its answer
 * with it, and others would wait for ever.
 */
const FLIGHT_MS = 10_000;

/** The most tokens of a gateway. Clients may bring credentials of their own. */
const MOST = 200;

interface Entry {
  minted?: Minted & { usedUntil: number };
  flight?: { token: Promise<string>; began: number };
}

/** The tokens of each gateway, by its `fetch`: gateways share nothing. The oldest credential comes first. */
const TOKENS = new WeakMap<object, Map<string, Entry>>();

/**
 * The token of a credential.
 *
 * @param owner Whose tokens they are: the `fetch` of a gateway, or the ring of one credential.
 * @param id The whole credential, with everything that the token depends on.
 * @param mint Asks for a token.
 * @returns The text itself, if no one has to be asked.
 */
export function tokenOf(
  owner: object,
  id: string,
  now: number,
  mint: () => Promise<Minted>,
): string | Promise<string> {
  const tokens = TOKENS.get(owner) ?? new Map<string, Entry>();
  TOKENS.set(owner, tokens);
  const entry = tokens.get(id) ?? {};
  tokens.delete(id);
  if (tokens.size >= MOST) tokens.delete(tokens.keys().next().value!);
  tokens.set(id, entry);
  const { minted, flight } = entry;
  if (minted && now < minted.usedUntil) return minted.token;
  if (flight && now < flight.began + FLIGHT_MS) return flight.token;
  const own: NonNullable<Entry["flight"]> = { token: mint().then(land, fail), began: now };
  function land(minted: Minted): string {
    const { endsAt } = minted;
    entry.minted = { ...minted, usedUntil: endsAt - Math.min(EARLY_MS, (endsAt - now) / 2) };
    if (entry.flight === own) entry.flight = undefined;
    return minted.token;
  }
  function fail(cause: unknown): never {
    if (entry.flight === own) entry.flight = undefined;
    throw cause;
  }
  // Nobody may be left who waits for it.
  own.token.catch(() => {});
  entry.flight = own;
  return own.token;
}

/**
 * Forgets a token that a provider has refused.
 *
 * @param refused The token. A newer one, which another request has asked for since, stays.
 * @returns Whether a new token would be another one.
 */
export function dropToken(owner: object, id: string, refused: string): boolean {
  const entry = TOKENS.get(owner)?.get(id);
  if (!entry) return false;
  if (entry.minted?.token === refused) entry.minted = undefined;
  return true;
}

/**
 * Waits for a token as long as the request that needs it lasts.
 *
 * @throws The signal's reason.
 */
export function whileOpen<T>(token: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return token;
  if (signal.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason);
    signal.addEventListener("abort", leave, { once: true });
    token.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
  });
}

// ---------------------------------------------------------------- signing

/**
 * Signs a request with the token of a credential, as a bearer.
 *
 * @param key The whole credential, with everything that the token depends on.
 * @param mint Asks for a token.
 */
export function signWithToken(
  request: Unsigned,
  provider: Provider,
  key: string,
  mint: (fetch: Fetch, now: number) => Promise<Minted>,
): Promise<void> | void {
  const { headers, fetch = globalThis.fetch, now = Date.now(), signal } = request;
  const set = (token: string) => {
    request.minted = token;
    setUnfixed(headers, provider, "authorization", `Bearer ${token}`);
  };
  const token = tokenOf(fetch, key, now, () => mint(fetch, now));
  return typeof token === "string" ? set(token) : whileOpen(token, signal).then(set);
}

/** Forgets the token that a refused request was signed with. @returns Whether signing again gets another token. */
export const dropMinted = ({ fetch = globalThis.fetch, minted }: Unsigned, key: string): boolean =>
  minted !== undefined && dropToken(fetch, key, minted);

// ---------------------------------------------------------------- asking

/** Milliseconds after which an endpoint counts as unreachable. */
const MOST_MS = 30_000;

/** The most bytes that are read of its answer. */
const MOST_ANSWER = 64 * 1024;

/** An endpoint that gives tokens, as OAuth has them. */
interface Endpoint {
  url: string;
  form: Record<string, string>;
  /** The name of the provider's row. */
  provider: string;
  /** The endpoint's name in errors. */
  name: string;
  /** The sentence about a refusal. It must quote nothing of the answer that may repeat the credential. */
  refusal(body: Record<string, unknown>): string;
}

/**
 * Asks an endpoint for a token.
 *
 * @throws GatewayError
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-5
 */
export async function askForToken(
  fetch: Fetch,
  { url, form, provider, name, refusal }: Endpoint,
  now: number,
): Promise<Minted> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), MOST_MS);
  let status: number, body: Record<string, unknown>;
  try {
    const answer = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
      body: new URLSearchParams(form).toString(),
      // A redirect could lead the secret elsewhere.
      redirect: "manual",
      signal: late.signal,
    });
    status = answer.status;
    const bytes = answer.body ? await readAll(answer.body, MOST_ANSWER, () => {}) : new Uint8Array();
    body = parseObject(new TextDecoder().decode(bytes)) ?? {};
  } catch (cause) {
    throw noToken(provider, `${name} gave no answer`, "upstream_unreachable", cause);
  } finally {
    clearTimeout(timer);
  }
  const { access_token: token, expires_in: seconds } = body;
  if (status === 200 && typeof token === "string" && /^[\x21-\x7e]+$/.test(token) && Number(seconds) > 0) {
    return { token, endsAt: now + Number(seconds) * 1000 };
  }
  throw status >= 400 && status < 500
    ? noToken(provider, refusal(body), "unauthorized")
    : noToken(provider, `${name} answered ${status} without a token`, "bad_upstream_answer");
}

/** The error of a credential that no token was given for. @param why Without any secret. */
const noToken = (
  provider: string,
  why: string,
  code: "bad_upstream_answer" | "unauthorized" | "upstream_unreachable",
  cause?: unknown,
) => new GatewayError(code, `Cannot sign in to ${provider}: ${why}`, { metadata: { provider }, cause });
