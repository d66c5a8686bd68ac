/** Error bodies of OpenAI and of the many that follow its form. */
import { errorType } from "../errors.ts";
import { object, text } from "./json.ts";
import { isOverflow } from "./overflow.ts";
import type { JsonObject, WireError } from "../types.ts";

/**
 * Error bodies of the OpenAI-compatible providers: OpenAI's own object, `{error: "text"}` (xAI, with `code` beside it),
 * `{detail}` or flat `{message}` (Mistral, FastAPI servers), `{title, detail}` (NVIDIA), `{errors: [{message, code}]}`
 * (Cloudflare), a list of one (Google), or text.
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
    status: status >= 400 ? status : typeof code === "number" && code >= 400 && code < 600 ? code : undefined,
    metadata: { original: body },
  };
}

/** An error body as OpenAI writes it, on each of its APIs. */
export function writeCompatibleError(error: WireError): JsonObject {
  const { message, type, param, code, metadata } = error;
  const body = {
    message,
    type: type ?? "server_error",
    param: param ?? null,
    // Text in OpenAI's description: clients in strict languages fail to read an error whose code is a number.
    code: code === undefined || code === null ? null : String(code),
  };
  return { error: metadata ? { ...body, metadata } : body };
}

const OVERFLOW_CODE = "context_length_exceeded";

/**
 * The error in a body that OpenAI's clients can read as it stands. A prompt that does not fit and is told in words alone is
 * written anew: clients that shorten it look for the code.
 */
export function ownCompatibleError(body: unknown): WireError | undefined {
  const error = object(object(body)?.error);
  if (typeof error?.message !== "string") return undefined;
  const { message, code } = error;
  if (code !== OVERFLOW_CODE && isOverflow(message, code as string | undefined)) return undefined;
  return error as unknown as WireError;
}
