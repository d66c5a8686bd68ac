/**
 * A provider on loopback that answers at once, in every format that the benches need.
 *
 * The model's name is the load, because every gateway passes it on:
 *
 * - `whole` is a whole answer;
 * - `s200x16` a stream of 200 text deltas, 16 events per write, one write per turn of the loop;
 * - `s200x16p20` the same with 20 ms between writes; the first write ends with the first text;
 * - `mute` no answer at all, `head` the headers of a stream and nothing more;
 * - `i7` at the end of a name is a number for the request, by which `/stats` lists its arrival and its abort.
 *
 * The path tells the format: `/chat/completions`, `/messages`, `/responses`, `:generateContent`, `:streamGenerateContent`.
 *
 * Runs on Bun, on bare sockets. Every answer is bytes made in advance, with one `write(2)` for each write of the load and no HTTP
 * server in between. `GET /stats` returns the counts so far; `?reset` sets them to zero, and `?hangup` ends the connections
 * without a request or an answer.
 *
 * @example
 * ```sh
 * bun bench/fake_provider.ts 9000
 * ```
 */

import { type Shape, SHAPES, word } from "./shapes.ts";

interface Socket {
  data: Connection;
  write(bytes: Uint8Array): number;
  end(): void;
}
declare const Bun: {
  listen(options: {
    hostname: string;
    port: number;
    socket: {
      open(socket: Socket): void;
      data(socket: Socket, bytes: Uint8Array): void;
      drain(socket: Socket): void;
      close(socket: Socket): void;
      error(socket: Socket, error: Error): void;
    };
  }): { port: number };
  argv: string[];
};

const encoder = new TextEncoder();
/** Bytes as a text with one character for each byte. */
const decoder = new TextDecoder("latin1");

/** Marks a chunked body whose end has not come yet. */
const CHUNKED = -1;

/** The writes of one answer, with its head and HTTP chunking. */
interface Answer {
  writes: Uint8Array[];
  /** `NEVER`: no write follows the first one. */
  paceMs: number;
}

const NEVER = Infinity;

/** The headers by which providers name a request, in the formats whose providers do. A gateway looks for them. */
const ID_HEADERS: { [shape in Shape]?: string } = {
  openai: "x-request-id: req_0123456789abcdef0123456789abcdef\r\n",
  responses: "x-request-id: req_0123456789abcdef0123456789abcdef\r\n",
  anthropic: "request-id: req_0123456789ABCDEFGHIJKLMN\r\n",
  cohere: "x-debug-trace-id: 0123456789abcdef0123456789abcdef\r\n",
};

const headOf = (shape: Shape, rest: string) => `HTTP/1.1 200 OK\r\n${ID_HEADERS[shape] ?? ""}${rest}\r\n\r\n`;

const EVENTS_HEAD = "content-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\n" +
  "transfer-encoding: chunked";

const answers = new Map<string, Answer>();

function answerFor(shape: Shape, load: string): Answer {
  const key = `${shape} ${load}`;
  let answer = answers.get(key);
  if (!answer) answers.set(key, answer = buildAnswer(shape, load));
  return answer;
}

function buildAnswer(shape: Shape, load: string): Answer {
  if (load === "mute" || load === "head") {
    const first = encoder.encode(load === "mute" ? "" : headOf(shape, EVENTS_HEAD));
    return { writes: [first, new Uint8Array()], paceMs: NEVER };
  }
  const match = /^s(\d+)x(\d+)(?:p(\d+))?$/.exec(load);
  if (!match) {
    const body = JSON.stringify(SHAPES[shape].whole(60));
    const head = headOf(shape, `content-type: application/json\r\ncontent-length: ${body.length}`);
    return { writes: [encoder.encode(head + body)], paceMs: 0 };
  }
  const [deltas, perWrite, paceMs] = match.slice(1).map((digits) => Number(digits ?? 0));
  let events = SHAPES[shape].events(deltas);
  if (paceMs > 0) {
    // The first write of a paced load ends with the first text, so that its reader waits for the first token.
    const first = events.findIndex((event) => event.includes(word(0))) + 1;
    events = [events.slice(0, first).join(""), ...events.slice(first)];
  }
  const writes: string[] = [];
  for (let at = 0; at < events.length; at += perWrite) {
    const piece = events.slice(at, at + perWrite).join("");
    writes.push(`${piece.length.toString(16)}\r\n${piece}\r\n`);
  }
  writes[0] = headOf(shape, EVENTS_HEAD) + writes[0];
  writes[writes.length - 1] += "0\r\n\r\n";
  return { writes: writes.map((piece) => encoder.encode(piece)), paceMs };
}

/** The state of one connection: what it reads, and what it is sent. */
class Connection {
  head = "";
  /** The bytes of the body that have not come yet, or `CHUNKED`. */
  due = 0;
  inBody = false;
  /** The first bytes of the body and the last ones, where `model` is looked for. */
  start = "";
  tail = "";
  answer: Answer | undefined;
  at = 0;
  rest: Uint8Array | undefined;
  timer: ReturnType<typeof setInterval> | undefined;
  id = -1;
  closed = false;
}

/** All open connections. */
const sockets = new Set<Socket>();

/** Whether a request is being read on a connection, or an answer sent. */
const isBusy = ({ data }: Socket) => data.inBody || data.head !== "" || data.answer !== undefined;

const stats = {
  requests: 0,
  answered: 0,
  open: 0,
  peakOpen: 0,
  bytesIn: 0,
  /** Requests whose connections closed before their answers were sent: number, and time in ms since the epoch. */
  aborts: [] as [number, number][],
  /** The same for the times at which requests were read completely. */
  arrivals: [] as [number, number][],
};

/** Streams that are sent with one write in each turn of the event loop. */
let active: Socket[] = [];
let turning = false;

function turn() {
  const now = active;
  active = [];
  for (const socket of now) {
    if (!socket.data.closed && sendNext(socket)) active.push(socket);
  }
  turning = active.length > 0;
  if (turning) setImmediate(turn);
}

/** Sends the next write. Returns false if it was the last one, or if the socket is full. */
function sendNext(socket: Socket): boolean {
  const connection = socket.data;
  const answer = connection.answer;
  if (!answer || connection.rest) return false;
  const bytes = answer.writes[connection.at++];
  const written = socket.write(bytes);
  if (written < bytes.length) {
    connection.rest = bytes.subarray(Math.max(0, written));
    return false;
  }
  if (connection.at < answer.writes.length) return true;
  finish(connection);
  return false;
}

function finish(connection: Connection) {
  stats.answered++;
  connection.answer = undefined;
  if (connection.timer) clearInterval(connection.timer);
  connection.timer = undefined;
}

function start(socket: Socket) {
  const connection = socket.data;
  stats.requests++;
  const target = connection.head.slice(connection.head.indexOf(" ") + 1, connection.head.indexOf(" HTTP/"));
  if (target.startsWith("/stats")) return sendStats(socket, target.slice(target.indexOf("?") + 1));
  const shape: Shape = target.includes("/chat/completions")
    ? "openai"
    : target.includes("enerateContent")
    ? "gemini"
    : target.endsWith("/responses")
    ? "responses"
    : "anthropic";
  const model = /"model":\s*"([^"]+)"/.exec(connection.start) ??
    /"model":\s*"([^"]+)"/.exec(connection.tail) ??
    /models\/([^:]+):/.exec(target);
  let load = model ? model[1].slice(model[1].lastIndexOf("/") + 1) : "whole";
  const numbered = load.indexOf("i");
  connection.id = -1;
  if (numbered > 0) {
    connection.id = Number(load.slice(numbered + 1));
    load = load.slice(0, numbered);
    stats.arrivals.push([connection.id, performance.timeOrigin + performance.now()]);
  }
  const answer = connection.answer = answerFor(shape, load);
  connection.at = 0;
  if (!sendNext(socket) || answer.paceMs === NEVER) return;
  if (answer.paceMs > 0) {
    connection.timer = setInterval(() => sendNext(socket), answer.paceMs);
  } else {
    active.push(socket);
    if (!turning) {
      turning = true;
      setImmediate(turn);
    }
  }
}

function sendStats(socket: Socket, query: string) {
  socket.data.answer = undefined;
  socket.data.head = "";
  const body = JSON.stringify({ ...stats, busy: [...sockets].filter(isBusy).length });
  if (query === "hangup") {
    for (const other of [...sockets]) if (other !== socket && !isBusy(other)) other.end();
  }
  if (query === "reset") {
    stats.aborts = [];
    stats.arrivals = [];
    stats.requests = stats.answered = stats.bytesIn = 0;
    stats.peakOpen = stats.open;
  }
  const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
  const bytes = encoder.encode(head + body);
  const written = socket.write(bytes);
  if (written < bytes.length) {
    socket.data.rest = bytes.subarray(Math.max(0, written));
  }
}

/** Reads one request at a time, because none of the clients measured here pipelines. */
function read(socket: Socket, bytes: Uint8Array) {
  const connection = socket.data;
  stats.bytesIn += bytes.length;
  if (!connection.inBody) {
    const before = connection.head.length;
    connection.head += decoder.decode(bytes.subarray(0, 65536));
    const end = connection.head.indexOf("\r\n\r\n");
    if (end < 0) return;
    bytes = bytes.subarray(end + 4 - before);
    connection.head = connection.head.slice(0, end);
    connection.inBody = true;
    connection.start = connection.tail = "";
    const length = /\r\ncontent-length: *(\d+)/i.exec(connection.head);
    connection.due = length
      ? Number(length[1])
      : /\r\ntransfer-encoding: *chunked/i.test(connection.head)
      ? CHUNKED
      : 0;
  }
  if (bytes.length > 0) {
    if (connection.due !== CHUNKED) connection.due -= bytes.length;
    if (connection.start.length < 4096) connection.start += decoder.decode(bytes.subarray(0, 4096));
    connection.tail = (connection.tail + decoder.decode(bytes.subarray(-4096))).slice(-4096);
    if (connection.due === CHUNKED && connection.tail.endsWith("\r\n0\r\n\r\n")) connection.due = 0;
  }
  if (connection.due === 0) {
    connection.inBody = false;
    start(socket);
    connection.head = "";
  }
}

const server = Bun.listen({
  hostname: "127.0.0.1",
  port: Number(Bun.argv[2] ?? 0),
  socket: {
    open(socket) {
      socket.data = new Connection();
      sockets.add(socket);
      stats.open++;
      if (stats.open > stats.peakOpen) stats.peakOpen = stats.open;
    },
    data: read,
    drain(socket) {
      const { rest } = socket.data;
      if (!rest) return;
      const written = socket.write(rest);
      if (written < rest.length) {
        socket.data.rest = rest.subarray(Math.max(0, written));
        return;
      }
      socket.data.rest = undefined;
      const { answer } = socket.data;
      if (!answer) return;
      if (socket.data.at >= answer.writes.length) return finish(socket.data);
      if (answer.paceMs === 0) {
        active.push(socket);
        if (!turning) {
          turning = true;
          setImmediate(turn);
        }
      }
    },
    close(socket) {
      const connection = socket.data;
      sockets.delete(socket);
      stats.open--;
      connection.closed = true;
      if (connection.answer || connection.inBody) {
        stats.aborts.push([connection.id, performance.timeOrigin + performance.now()]);
      }
      if (connection.timer) clearInterval(connection.timer);
    },
    error() {},
  },
});
console.log(`listening ${server.port}`);
