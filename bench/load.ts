/**
 * Sends requests to one target over bare sockets and prints the results as one line of JSON.
 *
 * Runs on Bun. The job is the first argument, as JSON; see {@link Job}.
 */

/** One measurement. */
export interface Job {
  port: number;
  path: string;
  headers?: Record<string, string>;
  /** The request body; or `bodyFile`, the path of one too long for an argument. */
  body?: string;
  bodyFile?: string;
  connections: number;
  /** Requests in all; the load also ends after `seconds`. */
  requests: number;
  seconds: number;
  /** Every answer must hold this text, or it counts as failed. */
  expect: string;
  /** Open a stream on each connection, print `held` when all have begun, and hold them until killed. */
  hold?: boolean;
}

/** Percentiles of many measurements. */
export interface Spread {
  p50: number;
  p99: number;
}

/** The results of a load. Times are in ms. */
export interface Seen {
  done: number;
  failed: number;
  /** The beginning of the first failed answer. */
  failure?: string;
  seconds: number;
  bytes: number;
  reads: number;
  /** From the request to the end of its answer. */
  latency: Spread;
  /** From the request to the first byte of the answer's body. */
  first: Spread;
  /** From one read of a body to the next. */
  gap: Spread;
}

interface Socket {
  data: Client;
  write(bytes: Uint8Array): number;
  end(): void;
}
declare const Bun: {
  connect(options: {
    hostname: string;
    port: number;
    socket: {
      open(socket: Socket): void;
      data(socket: Socket, bytes: Uint8Array): void;
      drain(socket: Socket): void;
      close(socket: Socket): void;
      error(socket: Socket, error: Error): void;
    };
  }): Promise<Socket>;
  argv: string[];
  file(path: string): { text(): Promise<string> };
};

const job = JSON.parse(Bun.argv[2]) as Job;
const encoder = new TextEncoder();
const decoder = new TextDecoder("latin1");
const body = encoder.encode(job.bodyFile ? await Bun.file(job.bodyFile).text() : job.body ?? "");
const head = encoder.encode(
  `POST ${job.path} HTTP/1.1\r\nhost: 127.0.0.1:${job.port}\r\n` +
    Object.entries({ "content-type": "application/json", ...job.headers }).map(([n, v]) => `${n}: ${v}\r\n`)
      .join("") +
    `content-length: ${body.length}\r\n\r\n`,
);
const request = new Uint8Array(head.length + body.length);
request.set(head);
request.set(body, head.length);

class Client {
  rest: Uint8Array | undefined;
  sentAt = 0;
  firstAt = 0;
  readAt = 0;
  /** The beginning of the answer until its head is read; after that, the latest bytes. */
  text = "";
  /** Length of the head with its blank line; 0 until read. */
  headEnd = 0;
  got = 0;
  matched = false;
  length = -1;
  status = 0;
}

const counts = { done: 0, failed: 0, bytes: 0, reads: 0 };
let failure: string | undefined;
const latency: number[] = [];
const first: number[] = [];
const gap: number[] = [];
let begun = 0;
const startedAt = performance.now();
const until = startedAt + job.seconds * 1000;
let finished: () => void;
const finishing = new Promise<void>((resolve) => finished = resolve);
let busy = 0;

function next(socket: Socket) {
  const client = socket.data;
  if (begun >= job.requests || performance.now() >= until) {
    busy--;
    socket.end();
    if (busy === 0) finished();
    return;
  }
  begun++;
  client.text = "";
  client.headEnd =
    client.got =
    client.firstAt =
    client.readAt =
      0;
  client.matched = false;
  client.sentAt = performance.now();
  send(socket, request);
}

function send(socket: Socket, bytes: Uint8Array) {
  const written = socket.write(bytes);
  socket.data.rest = written < bytes.length ? bytes.subarray(Math.max(0, written)) : undefined;
}

function read(socket: Socket, bytes: Uint8Array) {
  const client = socket.data;
  counts.bytes += bytes.length;
  counts.reads++;
  client.got += bytes.length;
  client.text += decoder.decode(bytes);
  if (client.headEnd === 0) {
    const end = client.text.indexOf("\r\n\r\n");
    if (end < 0) return;
    client.headEnd = end + 4;
    const head = client.text.slice(0, end).toLowerCase();
    client.status = Number(head.slice(9, 12));
    const at = head.indexOf("\r\ncontent-length:");
    client.length = at < 0 ? -1 : parseInt(head.slice(at + 17));
  }
  if (client.got > client.headEnd) {
    const now = performance.now();
    if (client.firstAt === 0) {
      client.firstAt = now;
      if (job.hold && ++counts.done === job.connections) console.log("held");
    } else gap.push(now - client.readAt);
    client.readAt = now;
  }
  // Only the end is kept: joining and searching the whole answer would take time by the square of its length.
  client.matched ||= client.text.includes(job.expect);
  if (client.text.length > 256) client.text = client.text.slice(-256);
  const whole = client.length >= 0
    ? client.got >= client.headEnd + client.length
    : client.text.endsWith("\r\n0\r\n\r\n");
  if (!whole || job.hold) return;
  const now = performance.now();
  // The framing of HTTP chunks may be in the middle of the text.
  client.matched ||= client.text.replaceAll(/\r\n[0-9a-f]+\r\n/gi, "").includes(job.expect);
  if (client.status === 200 && client.matched) {
    counts.done++;
    latency.push(now - client.sentAt);
    first.push(client.firstAt - client.sentAt);
  } else {
    counts.failed++;
    failure ??= client.text.slice(0, 600);
  }
  next(socket);
}

for (let n = 0; n < job.connections; n++) {
  busy++;
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port: job.port,
    socket: {
      open(socket) {
        socket.data = new Client();
      },
      data: read,
      drain(socket) {
        if (socket.data.rest) send(socket, socket.data.rest);
      },
      close(socket) {
        if (socket.data.sentAt === 0 || busy === 0) return;
        if (begun < job.requests && performance.now() < until) {
          counts.failed++;
          failure ??= `closed after ${socket.data.text.slice(0, 300)}`;
        }
      },
      error() {},
    },
  });
  next(socket);
}
if (!job.hold) {
  const timer = setTimeout(() => finished(), (job.seconds + 20) * 1000);
  await finishing;
  clearTimeout(timer);
  const seconds = (performance.now() - startedAt) / 1000;
  const seen: Seen = {
    ...counts,
    failure,
    seconds,
    latency: spread(latency),
    first: spread(first),
    gap: spread(gap),
  };
  console.log(JSON.stringify(seen));
  (globalThis as unknown as { process: { exit(code: number): never } }).process.exit(0);
}

function spread(times: number[]): Spread {
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? NaN;
  return { p50: at(0.5), p99: at(0.99) };
}
