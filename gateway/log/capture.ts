/** Keeps the bodies of one request while it runs: the client's, each that was sent to a provider, and the answer. */
import { keptBytes } from "../../wires/streams/chunks.ts";
import { IS_PROCESS } from "../context.ts";
import type { LogBody, LogRow } from "../stores/store.ts";
import { isCredential } from "../access/credential_headers.ts";
import { keptText, mediumText, MOST_BYTES, type Raw, type Redact } from "./kept_text.ts";

/** Which requests' bodies are kept. */
export type WhichBodies = typeof BODIES[number];

/** The values of the option `logs.bodies`. */
export const BODIES = ["none", "errors", "all"] as const;

/** The bytes that all running requests hold for the log, and the most. */
export interface CaptureBudget {
  bytes: number;
}

const MOST_HELD = 64 * 2 ** 20;

const NO_ROOM = "too many bodies were held at once";

/** How many tries' bodies are kept: as many as a row shows. */
const MOST_TRIES = 20;

/** The headers that are kept. Their values are masked like bodies. */
const HEADERS: ReadonlySet<string> = new Set([
  "accept",
  "anthropic-beta",
  "anthropic-version",
  "cf-aig-backoff",
  "cf-aig-max-attempts",
  "cf-aig-request-timeout",
  "cf-aig-retry-delay",
  "content-type",
  "openai-beta",
  "retry-after",
  "sluice-fallback",
  "sluice-strict",
  "user-agent",
]);

/** A body that is held until the request has ended. */
interface Held {
  side: string;
  headers: Headers;
  url?: string;
  raw: Raw | { note: string; bytes: number };
}

/** The bodies of one request. */
export interface Capture {
  /** Tells the secrets of the request that no body may hold. */
  hide(secrets: readonly string[]): void;
  request(headers: Headers, body: Uint8Array): void;
  attempt(url: string, init: RequestInit): void;
  /**
   * Keeps the answer.
   *
   * @param isWhole Whether all of it is in memory already.
   */
  answer(response: Response, signal: AbortSignal, isWhole: boolean): Promise<Response>;
  /** Calls a listener when the answer has been sent, or the client has left. */
  whenSent(listener: () => void): void;
  /** The bodies to keep, and lets go of all of them. */
  end(row: LogRow): LogBody[];
}

/** What a capture depends on. */
export interface CaptureOptions {
  which: WhichBodies;
  /** Masks the gateway's own tokens. */
  mask: Redact;
  redact?: Redact;
  budget: CaptureBudget;
}

/** Makes the capture of one request. */
export function capture({ which, mask, redact, budget }: CaptureOptions): Capture {
  const held: Held[] = [];
  let secrets: readonly string[] = [];
  let taken = 0;
  let tries = 0;
  let isSent = false;
  const listeners: (() => void)[] = [];

  /** Whether there is room for so many bytes, which then count as held. */
  function hasRoom(bytes: number): boolean {
    if (budget.bytes + bytes > MOST_HELD) return false;
    budget.bytes += bytes;
    taken += bytes;
    return true;
  }

  /** Takes a body if there is room for it. */
  function take(one: Held): void {
    const isTaken = "note" in one.raw || hasRoom(one.raw.text.length);
    held.push(isTaken ? one : { ...one, raw: { note: NO_ROOM, bytes: one.raw.bytes } });
  }

  function sent(): void {
    if (isSent) return;
    isSent = true;
    for (const listener of listeners) listener();
  }

  function hidden(text: string): string {
    let shown = mask(text);
    for (const secret of secrets) shown = shown.replaceAll(secret, "***");
    return shown;
  }

  function bodyOf({ side, headers, url, raw }: Held, { account, gateway, id }: LogRow): LogBody {
    const base = {
      account,
      gateway,
      id,
      side,
      bytes: raw.bytes,
      headers: shownHeaders(headers, hidden),
      url,
    };
    if ("note" in raw) return { ...base, text: `[${raw.note}]`, isCut: true };
    try {
      return { ...base, ...keptText(raw, hidden, redact) };
    } catch {
      // The error may quote the text.
      return { ...base, text: "[not kept: the function logs.redact has failed]", isCut: true };
    }
  }

  return {
    hide(found) {
      secrets = found.filter(({ length }) => length >= 8);
    },
    request: (headers, body) => take({ side: "request", headers, raw: rawOf(headers, body) }),
    attempt(url, { headers, body }) {
      if (++tries > MOST_TRIES) return;
      const sent = new Headers(headers);
      take({
        side: `try${tries}`,
        headers: sent,
        url: hidden(url.split("?", 1)[0]),
        raw: rawOf(sent, body ?? ""),
      });
    },
    async answer(response, signal, isWhole) {
      const { body, headers } = response;
      if (!body) {
        sent();
        return response;
      }
      const { status, statusText } = response;
      if (isWhole) {
        const bytes = new Uint8Array(await response.arrayBuffer());
        take({ side: "response", headers, raw: rawOf(headers, bytes) });
        sent();
        return new Response(bytes, { status, statusText, headers });
      }
      // On Workers a client that leaves may only abort the signal.
      if (!IS_PROCESS) signal.addEventListener("abort", sent, { once: true });
      const stream = readAlong(body, hasRoom, (bytes, all) => {
        held.push({ side: "response", headers, raw: rawOf(headers, bytes, all) });
        sent();
      });
      return new Response(stream, { status, statusText, headers });
    },
    whenSent(listener) {
      if (isSent) listener();
      else listeners.push(listener);
    },
    end(row) {
      const isKept = which === "all" || row.level !== "info";
      const bodies = isKept ? held.map((one) => bodyOf(one, row)) : [];
      budget.bytes -= taken;
      taken = 0;
      held.length = 0;
      return bodies;
    },
  };
}

/**
 * Hands a body through, and keeps its beginning.
 *
 * @param hasRoom Whether so many bytes more may be kept.
 * @param ended Is called once, with the beginning and the number of all bytes.
 */
function readAlong(
  body: ReadableStream<Uint8Array>,
  hasRoom: (bytes: number) => boolean,
  ended: (bytes: Uint8Array, all: number) => void,
): ReadableStream<Uint8Array> {
  const source = body.getReader();
  const kept = keptBytes();
  let all = 0;
  let isEnded = false, isFull = false;

  function end(): void {
    if (!isEnded) ended(kept.view(), all);
    isEnded = true;
  }

  function keep(bytes: Uint8Array): void {
    all += bytes.length;
    if (isFull) return;
    const first = bytes.subarray(0, MOST_BYTES.looked - kept.length);
    // What comes after a gap would be no part of a beginning.
    isFull = !hasRoom(first.length);
    if (isFull) return;
    kept.add(first);
    isFull = first.length < bytes.length;
  }

  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await source.read();
        if (done) {
          end();
          return controller.close();
        }
        keep(value);
        controller.enqueue(value);
      } catch (cause) {
        end();
        throw cause;
      }
    },
    cancel(reason) {
      end();
      return source.cancel(reason);
    },
  }, { highWaterMark: 0 });
}

/** Content types of texts, e.g. `text/event-stream` or `application/problem+json`. */
const TEXT = /^(?:text\/|[^;]*(?:json|xml|x-www-form-urlencoded))/i;

/** The body's text, or a note in its place. A copy is made of bytes, because a body may be edited in place. */
function rawOf(headers: Headers, body: BodyInit | Uint8Array, all?: number): Held["raw"] {
  const type = headers.get("content-type") ?? "application/json";
  if (typeof body === "string") return rawText(body, body.length, body.length > MOST_BYTES.looked);
  if (!ArrayBuffer.isView(body)) {
    return { note: body instanceof ReadableStream ? "passed on while it arrived" : "not a text", bytes: 0 };
  }
  const bytes = new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  const whole = all ?? bytes.length;
  if (!TEXT.test(type)) return { note: mediumText(type.split(";", 1)[0], whole).slice(1, -1), bytes: whole };
  const looked = bytes.subarray(0, MOST_BYTES.looked);
  return rawText(new TextDecoder().decode(looked), whole, looked.length < whole);
}

const rawText = (text: string, bytes: number, isCut: boolean): Raw => ({
  text: text.slice(0, MOST_BYTES.looked),
  bytes,
  isCut,
});

function shownHeaders(headers: Headers, hide: Redact): Record<string, string> {
  const shown: [string, string][] = [];
  for (const [name, value] of headers) {
    if (HEADERS.has(name) && !isCredential(name, value)) shown.push([name, hide(value.slice(0, 500))]);
  }
  return Object.fromEntries(shown);
}
