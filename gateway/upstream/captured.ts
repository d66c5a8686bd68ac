/** Tells the report of a request who has sent it, and whether its bodies are kept for the log. */
import { credential } from "../access/credential_texts.ts";
import type { Caller } from "../access/credentials.ts";
import { type Capture, capture } from "../log/capture.ts";
import { isOff } from "../log/entry.ts";
import type { Report } from "../log/report.ts";
import { holdersOf, type Metered } from "../policies/token_limits.ts";
import type { Config } from "../setup/config.ts";

/** Tells a report its caller, when the caller is let in. @param headers The client's. */
export function tellCaller(
  report: Report,
  { metered, token, keys, metadata }: Caller,
  headers: Headers,
  config: Config,
): void {
  // The end of an answer that is metered must be known, and its tokens.
  if (metered) report.listened = true;
  const metrics = metered && config.journal?.metrics;
  if (metrics) { for (const holder of holdersOf(metered)) if (isTold(holder)) metrics.know(holder); }
  if (report.listened) report.token = token;
  if (metadata) report.keyMetadata = metadata;
  if (!report.forModel) return;
  report.capture = captureOf(headers, config);
  report.capture?.hide([...keys.values()].map(credential));
}

/** Whether `/metrics` tells what is left of its budgets: not for a value of metadata, which may be a user's name. */
const isTold = ({ budgets, prefix }: Metered): boolean => budgets !== undefined && prefix !== "each-";

/** Keeps the bodies of a request, if the operator wants it and the client allows it. */
function captureOf(headers: Headers, { journal, masks }: Config): Capture | undefined {
  const { bodies, logs } = journal ?? {};
  const isRefused = isOff(headers, "cf-aig-collect-log") || isOff(headers, "cf-aig-collect-log-payload");
  if (!bodies || !logs || isRefused) return undefined;
  const { error: mask } = masks();
  return capture({ ...bodies, mask: (text) => mask?.text(text) ?? text });
}

/** The same answer, which is kept for the log. It is in memory if nobody observes its end any more. */
export const keptAnswer = (
  response: Response,
  capture: Capture,
  { signal }: Request,
  { observer }: Report,
): Promise<Response> =>
  capture.answer(response, signal, observer === undefined || observer.seen.end !== undefined);
