/** The gateway's own failures: one error class and one table of their statuses. */
import type { WireError } from "./types.ts";

/**
 * Every failure that Sluice finds itself: its HTTP status, and Cloudflare's number for it if Cloudflare has one.
 *
 * The statuses are those of RFC 9110 (section 15.5 for 4xx, 15.6 for 5xx); 431 is RFC 6585's.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-15.5
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-15.6
 * @see https://www.rfc-editor.org/rfc/rfc6585#section-5
 */
const ERRORS = {
  invalid_request: { status: 400 },
  invalid_model: { status: 400, code: 2019 },
  unknown_provider: { status: 400, code: 2008 },
  unknown_key_alias: { status: 400, code: 2040 },
  dropped_fields: { status: 400 },
  previous_response_not_found: { status: 400 },
  unauthorized: { status: 401, code: 2009 },
  forbidden: { status: 403 },
  not_found: { status: 404 },
  request_timeout: { status: 408 },
  method_not_allowed: { status: 405 },
  unsupported_media_type: { status: 415 },
  conflict: { status: 409 },
  body_too_large: { status: 413 },
  no_websocket: { status: 426 },
  rate_limited: { status: 429, code: 2003 },
  headers_too_large: { status: 431 },
  internal: { status: 500 },
  unsupported: { status: 501 },
  overloaded: { status: 503 },
  store_unavailable: { status: 503 },
  bad_upstream_answer: { status: 502, code: 2005 },
  upstream_unreachable: { status: 502, code: 2005 },
  upstream_timeout: { status: 504, code: 2005 },
} as const satisfies Record<string, { status: number; code?: number }>;

/** The stable name of a gateway failure. */
export type ErrorCode = keyof typeof ERRORS;

/** Optional details of a failure. */
export interface ErrorDetails {
  /** Cloudflare's number for this failure, if it differs from the number of the code. */
  number?: number;
  /** Path of the fault in the client's body, e.g. `messages[2].content`. */
  param?: string;
  /** Response headers, e.g. `allow`. */
  headers?: Record<string, string>;
  metadata?: Record<string, unknown>;
  cause?: unknown;
}

/** A failure that the gateway found itself. The message is written for people and never holds keys or prompts. */
export class GatewayError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.name = "GatewayError";
    this.code = code;
    this.status = ERRORS[code].status;
    this.details = details;
  }

  /** Cloudflare's number for the failure; `undefined` if Cloudflare has none. */
  get number(): number | undefined {
    const entry: { status: number; code?: number } = ERRORS[this.code];
    return this.details.number ?? entry.code;
  }

  /** The failure as an error in OpenAI's terms. */
  toWireError(): WireError {
    return {
      message: this.message,
      type: errorType(this.status),
      param: this.details.param ?? null,
      code: this.number ?? this.code,
      status: this.status,
      metadata: this.details.metadata,
    };
  }
}

/**
 * Removes an error's stack. Deno prints the error that ends a response's body, and a broken connection is not a bug.
 */
export function stackless<T>(error: T): T {
  if (error instanceof Error) {
    Object.defineProperty(error, "stack", { value: `${error.name}: ${error.message}`, configurable: true });
  }
  return error;
}

/** The most characters of a client's text that a message quotes. */
const QUOTED = 200;

/** A client's text, cut to a length that fits into a message. */
export const shorten = (text: string): string => text.length > QUOTED ? `${text.slice(0, QUOTED)}…` : text;

/** A client's text, cut by `shorten()` and put in quotation marks. */
export const quote = (text: string): string => JSON.stringify(shorten(text));

/**
 * OpenAI's error type for an HTTP status.
 *
 * @see https://platform.openai.com/docs/guides/error-codes (2026-11)
 */
export function errorType(status: number): string {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 429:
      return "rate_limit_error";
    default:
      return status >= 500 ? "server_error" : "invalid_request_error";
  }
}
