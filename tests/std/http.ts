/** Stands in for `@std/http` where JSR cannot be reached: same names and behaviour for what our fake providers use. */
import { STATUS_CODES } from "node:http";

/** One server-sent event. */
export interface ServerSentEventMessage {
  /** Ignored by clients. */
  comment?: string;
  /** Name of the event; without line ends. */
  event?: string;
  /** Split at line ends into as many `data` lines. */
  data?: string;
  /** Becomes the client's last event id; without line ends. */
  id?: string | number;
  /** Milliseconds to wait before a reconnection. */
  retry?: number;
}

const LINE_END = /\r\n|\r|\n/;

/** Event objects in, the bytes of an event stream out, one chunk an event. */
export class ServerSentEventStream extends TransformStream<ServerSentEventMessage, Uint8Array<ArrayBuffer>> {
  constructor() {
    const encoder = new TextEncoder();
    super({
      transform(message, controller) {
        controller.enqueue(encoder.encode(eventText(message)));
      },
    });
  }
}

function eventText({ comment, event, data, id, retry }: ServerSentEventMessage): string {
  let text = "";
  for (const line of comment?.split(LINE_END) ?? []) text += `:${line}\n`;
  if (event !== undefined) text += `event:${oneLine(event, "event")}\n`;
  for (const line of data?.split(LINE_END) ?? []) text += `data:${line}\n`;
  if (id !== undefined) text += `id:${oneLine(String(id), "id")}\n`;
  if (retry !== undefined) text += `retry:${retry}\n`;
  return text === "" ? "\n\n" : `${text}\n`;
}

function oneLine(value: string, name: string): string {
  if (LINE_END.test(value)) {
    throw new SyntaxError(`Cannot serialize message: \`message.${name}\` cannot contain a newline`);
  }
  return value;
}

/** Statuses by name, e.g. `STATUS_CODE.TooManyRequests`. */
export const STATUS_CODE = {
  OK: 200,
  Created: 201,
  Accepted: 202,
  NoContent: 204,
  MovedPermanently: 301,
  Found: 302,
  SeeOther: 303,
  NotModified: 304,
  TemporaryRedirect: 307,
  PermanentRedirect: 308,
  BadRequest: 400,
  Unauthorized: 401,
  PaymentRequired: 402,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  RequestTimeout: 408,
  Conflict: 409,
  Gone: 410,
  ContentTooLarge: 413,
  UnsupportedMediaType: 415,
  UnprocessableEntity: 422,
  TooEarly: 425,
  TooManyRequests: 429,
  InternalServerError: 500,
  NotImplemented: 501,
  BadGateway: 502,
  ServiceUnavailable: 503,
  GatewayTimeout: 504,
} as const;

/** A status that `STATUS_CODE` names. */
export type StatusCode = (typeof STATUS_CODE)[keyof typeof STATUS_CODE];

/** What a server says beside each status, e.g. "Too Many Requests". */
export const STATUS_TEXT = Object.fromEntries(
  Object.values(STATUS_CODE).map((
    status,
  ) => [status, status === 413 ? "Content Too Large" : STATUS_CODES[status]]),
) as Record<StatusCode, string>;

/** Whether `STATUS_CODE` names it. */
export function isStatus(status: number): status is StatusCode {
  return Object.values<number>(STATUS_CODE).includes(status);
}
