/** An error as a response that the client can read. */
import type { GatewayError } from "../../wires/errors.ts";
import type { ClientWire, WireError } from "../../wires/types.ts";

/** Whose clients read the errors of a path: those of a wire, Anthropic's, Cloudflare's gateway's, or its REST API's. */
export type ErrorShape = ClientWire | "anthropic" | "gateway" | "rest";

/** An error of ours or of the provider's, as the client's wire writes it. */
export function errorResponse(
  error: WireError,
  client: ClientWire,
  headers: Headers = new Headers(),
): Response {
  headers.set("content-type", "application/json");
  const { retryAfterMs } = error;
  if (retryAfterMs !== undefined && !headers.has("retry-after")) {
    headers.set("retry-after", String(Math.ceil(retryAfterMs / 1000)));
  }
  const { status = 502 } = error;
  const isError = Number.isInteger(status) && status >= 400 && status < 600;
  return new Response(JSON.stringify(client.writeError(error)), { status: isError ? status : 502, headers });
}

/** A failure of the gateway's own in the shape that a path's clients read. */
export function faultResponse(fault: GatewayError, shape: ErrorShape, headers: Headers): Response {
  if (typeof shape === "object") return errorResponse(fault.toWireError(), shape, headers);
  headers.set("content-type", "application/json");
  return new Response(JSON.stringify(SHAPES[shape](fault)), { status: fault.status, headers });
}

const SHAPES: Record<Exclude<ErrorShape, ClientWire>, (fault: GatewayError) => object> = {
  anthropic: ({ status, message }) => ({
    type: "error",
    error: {
      type: ANTHROPIC_TYPES.get(status) ?? (status < 500 ? "invalid_request_error" : "api_error"),
      message,
    },
  }),
  /** `error` is its list, `message` says it where SDKs look. */
  gateway({ status, number: code = status, message, details: { param } }) {
    const error = [{ code, message }];
    const whole = {
      success: false,
      result: [],
      messages: [],
      error,
      name: "AiGatewayError",
      httpCode: status,
    };
    return { ...whole, internalCode: code, message, ...(param && { param }) };
  },
  rest: ({ status, number: code = status, message }) => ({
    result: null,
    success: false,
    errors: [{ code, message }],
    messages: [],
  }),
};

/** https://platform.claude.com/docs/en/api/errors, read 2026-11 */
const ANTHROPIC_TYPES: ReadonlyMap<number, string> = new Map([
  [401, "authentication_error"],
  [403, "permission_error"],
  [404, "not_found_error"],
  [413, "request_too_large"],
  [429, "rate_limit_error"],
  [504, "timeout_error"],
]);
