/** Keeps responses and conversations in a store, and tells of its failures. */
import { GatewayError } from "../../wires/errors.ts";
import { atMostEvery } from "../at_most_every.ts";
import { IS_PROCESS, keepAlive, type RuntimeContext } from "../context.ts";
import type { Documents } from "../stores/documents.ts";
import { failureLine, TELL_MS } from "./store_guard.ts";
import { within } from "./timers.ts";

/** The longest waits in milliseconds: of a request for what is stored, and of the end of an answer until it is stored. */
const LATE_MS = { read: 1000, keep: 250 };

/** The most bytes of one response with its input. */
const MOST_BYTES = 16 * 2 ** 20;

/** The responses that a gateway keeps. */
export interface KeptResponses {
  /** Whether a request that does not say `store` is not kept. (OpenAI keeps it.) */
  readonly onlyAsked: boolean;
  /** The most bytes of one response with its input. */
  readonly mostBytes: number;
  /**
   * Asks the store for a client that waits for it.
   *
   * @param unit The unit that is asked for. If it is being kept at this moment, that is waited for.
   * @throws GatewayError `overloaded` if the store fails or is too slow.
   */
  ask<T>(unit: string, work: (documents: Documents) => Promise<T>): Promise<T>;
  /**
   * Keeps an answer that ends. Never rejects.
   *
   * @param units The units that are written. Whoever asks for them waits for that.
   * @returns Whether it is kept; also true if that takes longer than an answer may wait.
   */
  keep(
    units: readonly string[],
    work: (documents: Documents) => Promise<void>,
    context: RuntimeContext | undefined,
  ): Promise<boolean>;
  /** Counts a response that is not kept, and tells it. */
  fail(what: string, cause?: unknown): void;
}

/** What a store of responses is made of. */
interface Parts {
  documents: Documents;
  onlyAsked: boolean;
  /** The most bytes of all documents. */
  maxBytes: number;
  now: () => number;
  /** Prints a line about failures. */
  warn: (line: string) => void;
  /** Called at each failure. */
  onFailure: () => void;
}

const late = () => new DOMException("too slow", "TimeoutError");

/** Makes a store of responses. */
export function keptResponses(
  { documents, onlyAsked, maxBytes, now, warn, onFailure }: Parts,
): KeptResponses {
  /** What is being kept at this moment, by its units. Not on Workers: there a request may not wait for another one. */
  const pending = new Map<string, Promise<unknown>>();
  let untold = 0;
  const mayTell = atMostEvery(TELL_MS, now);

  function fail(what: string, cause?: unknown): void {
    untold++;
    onFailure();
    if (!mayTell()) return;
    warn(failureLine("the store of responses", untold, what, cause));
    untold = 0;
  }

  function wait(units: readonly string[], work: Promise<unknown>): void {
    if (!IS_PROCESS) return;
    for (const unit of units) {
      pending.set(unit, work);
      work.finally(() => {
        if (pending.get(unit) === work) pending.delete(unit);
      });
    }
  }

  return {
    onlyAsked,
    mostBytes: Math.min(MOST_BYTES, maxBytes),
    fail,
    async ask(unit, work) {
      try {
        const waited = pending.get(unit);
        return await within(
          (async () => {
            await waited;
            return await work(documents);
          })(),
          LATE_MS.read,
          late,
        );
      } catch (cause) {
        if (cause instanceof GatewayError) throw cause;
        fail("cannot read or change what is stored", cause);
        throw new GatewayError(
          "overloaded",
          "Cannot read or change what is stored of responses: the gateway's store has failed; try again in a moment",
          { headers: { "retry-after": "1" }, cause },
        );
      }
    },
    async keep(units, write, context) {
      const work = (async () => {
        try {
          await write(documents);
          return true;
        } catch (cause) {
          fail("a response is not stored", cause);
          return false;
        }
      })();
      wait(units, work);
      keepAlive(work, context);
      return await within(work, LATE_MS.keep, late).catch(() => true);
    },
  };
}
