/** Makes error responses that the client can read. */
import type { GatewayError } from "../../wires/errors.ts";
import type { ClientWire, ErrorContext, WireError } from "../../wires/types.ts";

/** The shape of an error: that of a client wire, of Cloudflare's gateway, or of Cloudflare's REST API. */
export type ErrorShape = ClientWire | "gateway" | "rest";

/** An error of the gateway or the provider, written in the client's wire. */
export function errorResponse(
  error: WireError,
  client: ClientWire,
  headers: Headers = new Headers(),
  context?: ErrorContext,
): Response {
  headers.set("content-type", "application/json");
  if (isFinal(error) && !headers.has("x-should-retry")) headers.set("x-should-retry", "false");
  const { retryAfterMs } = error;
  if (retryAfterMs !== undefined && !headers.has("retry-after")) {
    headers.set("retry-after", String(Math.ceil(retryAfterMs / 1000)));
  }
  const { status = 502 } = error;
  const isError = Number.isInteger(status) && status >= 400 && status < 600;
  return new Response(JSON.stringify(client.writeError(error, context)), {
    status: isError ? status : 502,
    headers,
  });
}

/**
 * Whether the same request will fail again. SDKs repeat a 429 and Claude Code repeats a 401, so without
 * `x-should-retry: false` their users would wait for minutes.
 */
const isFinal = ({ code, status }: WireError): boolean =>
  code === "insufficient_quota" || status === 401 || status === 403;

/** A GatewayError in the error shape of a path. */
export function faultResponse(
  fault: GatewayError,
  shape: ErrorShape,
  headers: Headers,
  requestId: string,
): Response {
  if (typeof shape === "object") return errorResponse(fault.toWireError(), shape, headers, { requestId });
  headers.set("content-type", "application/json");
  return new Response(JSON.stringify(SHAPES[shape](fault)), { status: fault.status, headers });
}

const SHAPES: Record<Exclude<ErrorShape, ClientWire>, (fault: GatewayError) => object> = {
  /** Cloudflare's shape has the list `error`. SDKs read the message from `message`. */
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
