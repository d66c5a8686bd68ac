/** Holds rows until a store has taken them. */
import type { LogBody, LogRow, Logs, Scope } from "./store.ts";

/** A flush is due after this time, or with this many rows. A killed process loses the rows of one such time. */
const DUE = { ms: 1000, rows: 100 };

/** The most that waits if the store does not take it. Bodies are dropped first, then the oldest rows. */
const MOST = { rows: 10_000, bytes: 16 * 2 ** 20 };

/** The least time between two lines about the same trouble. */
const TOLD_EVERY_MS = 60_000;

/** The dependencies of a queue. */
export interface QueueOptions {
  /** Measures durations in milliseconds. */
  timer: () => number;
  /** Is called with a sentence about trouble with the store. */
  warn: (line: string) => void;
  /** Counts losses. */
  losses: { rows: number; storeErrors: number };
  most?: { rows: number; bytes: number };
}

/** A row that waits. */
interface Waiting {
  key: string;
  row: LogRow;
  bodies: readonly LogBody[];
  bytes: number;
}

/** The rows that wait. */
export interface WriteQueue {
  add(row: LogRow, bodies: readonly LogBody[]): void;
  get(scope: Scope, id: string): Pick<Waiting, "row" | "bodies"> | undefined;
  /** All rows that wait, the latest first. */
  newest(): LogRow[];
  /** Writes all rows that wait. Resolves when they are stored, or when the store has failed. */
  flush(): Promise<void>;
  /** Writes all rows that wait, and gives up those that the store does not take. */
  end(): Promise<void>;
}

const keyOf = ({ account, gateway }: Scope, id: string) => `${account}/${gateway}/${id}`;

/** About the bytes of a row in memory. */
const rowBytes = ({ attempts = [] }: LogRow) => 1000 + 100 * attempts.length;

const bodyBytes = (bodies: readonly LogBody[]) => bodies.reduce((bytes, { text }) => bytes + text.length, 0);

const rowsWords = (count: number) => count === 1 ? "1 row of a request" : `${count} rows of requests`;

/** Makes the queue before a store. */
export function writeQueue(store: Pick<Logs, "add">, options: QueueOptions): WriteQueue {
  const { losses, most = MOST } = options;
  const told = teller(options);
  /** The rows, the oldest first. A row stays here until the store has it. */
  const waiting = new Map<string, Waiting>();
  let bytes = 0;
  /** How many of the oldest rows are being written. */
  let writing = 0;
  let due: ReturnType<typeof setTimeout> | undefined;
  let running: Promise<void> | undefined;

  function drop(key: string): void {
    bytes -= waiting.get(key)?.bytes ?? 0;
    waiting.delete(key);
  }

  function flush(): Promise<void> {
    clearTimeout(due);
    due = undefined;
    return running ??= write().finally(() => {
      running = undefined;
      writing = 0;
      if (waiting.size > 0) due ??= setTimeout(flush, DUE.ms);
    });
  }

  async function write(): Promise<void> {
    while (waiting.size > 0) {
      const batch = [...waiting.values()].slice(0, DUE.rows);
      writing = batch.length;
      try {
        await store.add(batch.map(({ row }) => row), batch.flatMap(({ bodies }) => bodies));
      } catch (cause) {
        losses.storeErrors++;
        if (await storeApart(batch, cause as Error)) continue;
        return told.failure(cause as Error, waiting.size);
      }
      for (const { key } of batch) drop(key);
    }
    told.success();
  }

  async function isTaken({ key, row, bodies }: Waiting): Promise<boolean> {
    const taken = await store.add([row], bodies).then(() => true, () => false);
    if (taken) drop(key);
    return taken;
  }

  /**
   * Stores the rows of a failed batch one by one, if the store works at all. Rows that it does not take are lost.
   *
   * @returns Whether the store works: it takes the first row or the last one, as hardly both are at fault.
   */
  async function storeApart(batch: readonly Waiting[], { message }: Error): Promise<boolean> {
    const [first, last] = [batch[0], batch.at(-1)!];
    if (first === last || !await isTaken(first) && !await isTaken(last)) return false;
    let bad = 0;
    for (const one of batch) {
      if (!waiting.has(one.key) || await isTaken(one)) continue;
      drop(one.key);
      bad++;
    }
    told.refused(bad, message);
    return true;
  }

  const isFull = () => waiting.size > most.rows || bytes > most.bytes;

  /** Drops the bodies, and then the oldest rows, if too much waits. */
  function bound(): void {
    if (!isFull()) return;
    const entries = [...waiting.values()].slice(writing);
    for (const one of entries) {
      if (!isFull()) return;
      if (one.bodies.length === 0) continue;
      bytes -= bodyBytes(one.bodies);
      one.bytes -= bodyBytes(one.bodies);
      one.bodies = [];
    }
    for (const { key } of entries) {
      if (!isFull()) return;
      drop(key);
      told.dropped();
    }
  }

  return {
    add(row, bodies) {
      const key = keyOf(row, row.id);
      const one = { key, row, bodies, bytes: rowBytes(row) + bodyBytes(bodies) };
      drop(key);
      waiting.set(key, one);
      bytes += one.bytes;
      bound();
      if (waiting.size >= DUE.rows && !told.isInTrouble()) flush();
      else due ??= setTimeout(flush, DUE.ms);
    },
    get: (scope, id) => waiting.get(keyOf(scope, id)),
    newest: () => [...waiting.values()].map(({ row }) => row).reverse(),
    flush,
    async end() {
      await flush();
      clearTimeout(due);
      due = undefined;
      told.givenUp(waiting.size);
      waiting.clear();
      bytes = 0;
    },
  };
}

/** Counts what is lost, and tells trouble with the store once a minute. */
function teller({ timer, warn, losses }: QueueOptions) {
  /** The rows that were dropped since the last line. */
  let dropped = 0;
  /** The last failure that was told, and when; unset while the store takes rows. */
  let trouble: { reason: string; at: number } | undefined;

  function droppedWords(): string {
    const words = dropped > 0 ? `, ${dropped} ${dropped === 1 ? "is" : "are"} lost` : "";
    dropped = 0;
    return words;
  }

  return {
    isInTrouble: () => trouble !== undefined,
    dropped() {
      dropped++;
      losses.rows++;
    },
    failure({ message }: Error, waiting: number) {
      const at = timer();
      const isNew = trouble?.reason !== message || at - trouble.at >= TOLD_EVERY_MS || at < trouble.at;
      if (!isNew) return;
      trouble = { reason: message, at };
      warn(`Cannot store rows of requests: ${message}; ${waiting} wait${droppedWords()}`);
    },
    success() {
      if (!trouble) return;
      trouble = undefined;
      warn(`The store takes rows of requests again${droppedWords()}`);
    },
    refused(rows: number, reason: string) {
      if (rows === 0) return;
      losses.rows += rows;
      warn(`The store did not take ${rowsWords(rows)}, which ${rows === 1 ? "is" : "are"} lost: ${reason}`);
    },
    givenUp(rows: number) {
      if (rows === 0) return;
      losses.rows += rows;
      const [are, them] = rows === 1 ? ["is", "it"] : ["are", "them"];
      warn(`${rowsWords(rows)} ${are} lost: the store did not take ${them} before the end`);
    },
  };
}
