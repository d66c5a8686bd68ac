/** Remembers which targets keep failing. */
import { windowOf } from "./windows.ts";

/** When a target is spared, and for how long. */
export interface BreakerSettings {
  /** The failures within a window that open the breaker. */
  failures: number;
  /** The share of failures among all requests that must be reached too, from 0 to 1. */
  share: number;
  windowMs: number;
  /** How long no request is sent. After that a single one is let through, which decides. */
  openMs: number;
}

/** Requests of one window. */
interface Counted {
  at: number;
  all: number;
  failed: number;
}

/** What is known of a target. */
interface State {
  provider: string;
  model?: string;
  now: Counted;
  before: Counted;
  /** Until when no request is sent, by the gateway's timer. Absent while the breaker is closed. */
  openUntil?: number;
  /** Until when a request that was let through is waited for. */
  trialUntil?: number;
  /** Whether the breaker was ever open. */
  hasOpened: boolean;
}

/** Whether a request may be sent; if not, how long to wait. A trial decides whether others may be sent after it. */
export interface Permit {
  waitMs?: number;
  isTrial?: true;
}

/** Remembers how the targets of a process do. */
export interface Breaker {
  /** Asks whether a request may be sent. */
  ask(provider: string, model: string | undefined): Permit;
  /** Is told of a request that was sent. @param failed `undefined` if its end tells nothing of the target. */
  tell(provider: string, model: string | undefined, permit: Permit, failed: boolean | undefined): void;
  /** The targets whose breaker is or was open. */
  opened(): { provider: string; model?: string; isOpen: boolean }[];
}

/** The most targets that are remembered: clients choose the names of models. */
const MOST_TARGETS = 1000;

/** How many targets are looked at for one that may be forgotten. */
const MOST_LOOKED_AT = 20;

/** The time after which a request that waits for a trial may try again. */
const TRIAL_MS = 1000;

const SENT: Permit = {};

const fresh = (at: number): Counted => ({ at, all: 0, failed: 0 });

/** Makes the memory of a process. @param timer Measures time, in milliseconds. */
export function breakerOf(settings: BreakerSettings, timer: () => number): Breaker {
  const { failures, share, windowMs, openMs } = settings;
  /** The target that was used last is the last one. */
  const states = new Map<string, State>();
  const keyOf = (provider: string, model: string | undefined) => `${provider}/${model ?? ""}`;

  function forgetOne(): void {
    let looked = 0;
    for (const [key, { openUntil }] of states) {
      if (openUntil === undefined) return void states.delete(key);
      if (++looked === MOST_LOOKED_AT) break;
    }
    states.delete(states.keys().next().value!);
  }

  function stateOf(provider: string, model: string | undefined): State {
    const key = keyOf(provider, model);
    const { at } = windowOf(timer(), windowMs);
    let state = states.get(key);
    if (state) states.delete(key);
    else {
      if (states.size >= MOST_TARGETS) forgetOne();
      state = { provider, model, now: fresh(at), before: fresh(at - 1), hasOpened: false };
    }
    states.set(key, state);
    if (state.now.at < at) {
      state.before = state.now.at === at - 1 ? state.now : fresh(at - 1);
      state.now = fresh(at);
    }
    return state;
  }

  /** Whether the failures of the last `windowMs` are too many. Those of the window before count as if they had come evenly. */
  function isFailing({ now, before }: State): boolean {
    const { left } = windowOf(timer(), windowMs);
    const failed = now.failed + left * before.failed, all = now.all + left * before.all;
    return failed >= failures && failed >= share * all;
  }

  return {
    ask(provider, model) {
      const state = states.get(keyOf(provider, model));
      if (state?.openUntil === undefined) return SENT;
      const now = timer();
      if (now < state.openUntil) return { waitMs: state.openUntil - now };
      // One request at a time is let through. If its end is never told, another one is.
      if (state.trialUntil !== undefined && now < state.trialUntil) return { waitMs: TRIAL_MS };
      state.trialUntil = now + openMs;
      return { isTrial: true };
    },
    tell(provider, model, { isTrial }, failed) {
      const state = stateOf(provider, model);
      if (isTrial) state.trialUntil = undefined;
      if (failed === undefined) return;
      state.now.all++;
      if (failed) state.now.failed++;
      if (failed && (isTrial || isFailing(state))) {
        state.openUntil = timer() + openMs;
        state.hasOpened = true;
      } else if (!failed && isTrial) {
        const { at } = state.now;
        Object.assign(state, { openUntil: undefined, now: fresh(at), before: fresh(at - 1) });
      }
    },
    opened: () =>
      [...states.values()].filter(({ hasOpened }) => hasOpened).map(({ provider, model, openUntil }) => ({
        provider,
        model,
        isOpen: openUntil !== undefined,
      })),
  };
}
