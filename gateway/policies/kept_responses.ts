/** Keeps responses and conversations in a store, and tells of its failures. */
import { GatewayError } from "../../wires/errors.ts";
import { IS_PROCESS, keepAlive, type RuntimeContext } from "../context.ts";
import type { Documents } from "../stores/documents.ts";
import { type GuardParts, storeGuard } from "./store_guard.ts";
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
interface Parts extends Omit<GuardParts, "name"> {
  documents: Documents;
  onlyAsked: boolean;
  /** The most bytes of all documents. */
  maxBytes: number;
}

/** What work returns, or the refusal of a request that it throws: then too the store has answered. */
async function refusable<T>(work: Promise<T>): Promise<{ value: T } | { refusal: GatewayError }> {
  try {
    return { value: await work };
  } catch (refusal) {
    if (refusal instanceof GatewayError) return { refusal };
    throw refusal;
  }
}

const late = () => new DOMException("too slow", "TimeoutError");

/** Makes a store of responses. */
export function keptResponses({ documents, onlyAsked, maxBytes, ...parts }: Parts): KeptResponses {
  const guard = storeGuard({ ...parts, name: "the store of responses" });
  /** What is being kept at this moment, by its units. Not on Workers: there a request may not wait for another one. */
  const pending = new Map<string, Promise<unknown>>();

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
    fail: guard.tell,
    async ask(unit, work) {
      const waited = pending.get(unit);
      let answer;
      try {
        answer = await guard.ask("cannot read or change what is stored", async () => {
          await waited;
          return await refusable(work(documents));
        }, { lateMs: LATE_MS.read });
      } catch (cause) {
        throw new GatewayError(
          "overloaded",
          "Cannot read or change what is stored of responses: the gateway's store has failed; try again in a moment",
          { headers: { "retry-after": "1" }, cause },
        );
      }
      if ("refusal" in answer) throw answer.refusal;
      return answer.value;
    },
    async keep(units, write, context) {
      const work = (async () => {
        try {
          await write(documents);
          return true;
        } catch (cause) {
          guard.fail("a response is not stored", cause);
          return false;
        }
      })();
      wait(units, work);
      keepAlive(work, context);
      return await within(work, LATE_MS.keep, late).catch(() => true);
    },
  };
}
