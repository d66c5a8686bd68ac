/** Answers a request again that was answered before. */
import { keepAlive } from "../context.ts";
import type { AnswerCache, CachePlan } from "./answer_cache.ts";
import type { Attempt, Policy, Run, Step } from "./attempt.ts";
import type { CachedAnswer, Facts } from "./cached_answer.ts";
import { copied } from "./answer_copy.ts";
import { isFinished } from "./finished.ts";

/** The headers of an answer that are sent again. All others belong to the request that was answered first. */
const HEADERS = [
  "content-type",
  "content-disposition",
  "sluice-dropped",
  "x-accel-buffering",
  "x-content-type-options",
];

/**
 * Answers from the cache, or lets the answer be kept. It stands above all other policies: a cached answer is not an attempt,
 * and nothing that waits comes before it.
 */
export const cache: Policy = (next) => {
  async function through(attempt: Attempt, plan: CachePlan, answers: AnswerCache): Promise<Response> {
    const { run, step, others, signal } = attempt;
    const { report } = run;
    const steps = [step, ...others];
    const key = await answers.keyOf(steps.map(({ cache }) => cache));
    const found = key === undefined ? undefined : await answers.find(key);
    signal.throwIfAborted();
    if (found) return replay(found, steps, run);
    step.ready?.();
    report.cache = "MISS";
    if (key === undefined) return await next(attempt);
    // The end of the answer must be observed.
    report.listened = true;
    const response = await next(attempt);
    const answered = steps[report.step];
    // The step that answered may have a shorter time, or none.
    const { ttlMs } = answered.cache ?? {};
    // Other statuses of success tell of something that was made, or of a part.
    if (ttlMs !== undefined && response.status === 200) {
      const kept = { key, ttlMs: Math.min(ttlMs, plan.ttlMs), step: answered };
      report.keep = (response) => keepWhenWhole(response, kept, answers, run);
    }
    return response;
  }
  return (attempt) => {
    const { step: { cache: plan }, run: { config: { cache: answers } } } = attempt;
    return plan && answers ? through(attempt, plan, answers) : next(attempt);
  };
};

/** Sends a kept answer. */
function replay({ body, headers, ...head }: CachedAnswer, steps: readonly Step[], { config, report }: Run) {
  const { step, provider, model, facts } = head;
  report.cache = "HIT";
  report.step = step;
  report.provider = provider;
  report.model = model;
  const { way } = steps[step] ?? {};
  if (report.route && way !== undefined) report.route = { ...report.route, way };
  report.place = steps[step]?.place;
  report.eventId = steps[step]?.eventId;
  report.metadata = steps[step]?.metadata;
  report.replayed = facts;
  const response = new Response(body);
  // Written into the finished response, because `new Response` would copy them.
  for (const [name, value] of headers) response.headers.set(name, value);
  response.headers.set("age", `${Math.max(0, Math.floor((config.now() - head.at) / 1000))}`);
  return response;
}

/** What is known of an answer that may be kept. */
interface Kept {
  key: string;
  ttlMs: number;
  step: Step;
}

/** Copies an answer while it passes, and keeps it when it has ended well. The client never waits for the store. */
async function keepWhenWhole(
  response: Response,
  { key, ttlMs, step: { format } }: Kept,
  answers: AnswerCache,
  run: Run,
): Promise<Response> {
  const { config, report, context } = run;
  const { headers, status, statusText } = response;
  const type = headers.get("content-type") ?? "";
  const head = {
    headers: HEADERS.flatMap((name): [string, string][] => {
      const value = headers.get(name);
      return value === null ? [] : [[name, value]];
    }),
    step: report.step,
    provider: report.provider,
    model: report.model,
  };
  const { observer } = report;
  const onWhole = (body: Uint8Array<ArrayBuffer> | undefined) => {
    const seen = observer?.seen;
    if (!body || !isFinished(body, type, format, seen)) return;
    const { model, usage, tier, stop }: Facts = seen ?? {};
    const answer = { ...head, at: config.now(), facts: { model, usage, tier, stop }, body };
    keepAlive(answers.keep(key, answer, ttlMs), context);
  };
  const copy = answers.copy();
  if (observer?.seen.end !== "whole") return response.body ? copied(response, copy, onWhole) : response;
  // The answer is in memory already. It stays one piece.
  const bytes = new Uint8Array(await response.arrayBuffer());
  copy.add(bytes);
  onWhole(copy.end());
  return new Response(bytes, { status, statusText, headers });
}
