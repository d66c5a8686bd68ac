/** Error bodies in OpenAI's format, read and written. */
import { errorType } from "../errors.ts";
import { object, text } from "./json.ts";
import { isOverflow } from "./overflow.ts";
import type { JsonObject, WireError } from "../types.ts";

/**
 * Reads the error body of an OpenAI-compatible provider. These forms are known: OpenAI's own object, `{error: "text"}`
 * (xAI, with `code` beside it), `{detail}` or flat `{message}` (Mistral, FastAPI servers; `detail` may be a list of
 * `{loc, msg}`), `{title, detail}` (NVIDIA), `{errors: [{message, code}]}` (Cloudflare), a list of one error (Google),
 * and plain text.
 */
export function readCompatibleError(status: number, body: unknown): WireError {
  const outer = object(Array.isArray(body) ? body[0] : body) ?? {};
  const inner = object(outer.error) ?? object(Array.isArray(outer.errors) ? outer.errors[0] : undefined) ??
    outer;
  const detail = Array.isArray(inner.detail) ? object(inner.detail[0]) : undefined;
  const message = text(inner.message) ?? text(outer.error) ?? text(inner.detail) ?? text(detail?.msg) ??
    text(outer.message) ?? text(outer.title) ??
    (typeof body === "string" && body.trim() ? body.trim().slice(0, 500) : undefined);
  const code = inner.code ?? outer.code ?? null;
  const where = Array.isArray(detail?.loc) ? detail.loc.slice(1).join(".") : undefined;
  return {
    message: message ?? `The provider answered ${status} without a message`,
    type: text(inner.type) ?? errorType(status < 400 ? 502 : status),
    param: text(inner.param) ?? where ?? null,
    code: isOverflow(message, code)
      ? "context_length_exceeded"
      : typeof code === "number"
      ? code
      : text(code) ?? null,
    status: status >= 400 ? status : statusIn(code, inner),
    metadata: { original: body },
  };
}

/**
 * The status that an error names itself, where it came with a status of success. Azure answers 200 to a prompt that its filter
 * blocks (recorded 2023-11).
 */
function statusIn(code: unknown, { status }: JsonObject): number | undefined {
  const named = [code, status].find((value) =>
    Number.isInteger(value) && value as number >= 400 && value as number < 600
  );
  return named as number | undefined ?? (code === "content_filter" ? 400 : undefined);
}

/** Writes an error body in the form that all of OpenAI's APIs use. */
export function writeCompatibleError(error: WireError): JsonObject {
  const { message, type, param, code, metadata } = error;
  const body = {
    message,
    type: type ?? "server_error",
    param: param ?? null,
    // OpenAI's description has a string: clients in strictly typed languages fail to read an error whose code is a
    // number.
    code: code === undefined || code === null ? null : String(code),
  };
  return { error: metadata ? { ...body, metadata } : body };
}

const OVERFLOW_CODE = "context_length_exceeded";

/**
 * The error in a body that OpenAI's clients can read unchanged; `undefined` for any other body.
 *
 * A body that says only in words that the prompt is too long is not returned. It must be rewritten, because clients
 * that shorten the prompt look for the code.
 */
export function ownCompatibleError(body: unknown): WireError | undefined {
  const error = object(object(body)?.error);
  if (typeof error?.message !== "string") return undefined;
  const { message, code } = error;
  if (code !== OVERFLOW_CODE && isOverflow(message, code as string | undefined)) return undefined;
  return error as unknown as WireError;
}
