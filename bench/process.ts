/** Starts processes for a bench, and measures them by `/proc`, which only Linux has. */

/** A process that was started here. */
export interface Process extends AsyncDisposable {
  pid: number;
  /** When it was started, by `performance.now()`. */
  startedAt: number;
  /** The text that it wrote to standard output and standard error so far. */
  output(): string;
  /** Resolves when the process has ended. */
  ended: Promise<unknown>;
  /** Waits at most 30 s for a match in the output. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
}

/** Bun's `fetch` runs at most 256 requests at once by default. The others would wait for ever, because idle streams never end. */
export const BUN_ENV = { BUN_CONFIG_MAX_HTTP_REQUESTS: "20000" };

/** Starts a program. It is killed when the process is disposed of. */
export function startProcess(
  command: string,
  args: string[],
  options: { env?: Record<string, string>; cwd?: string } = {},
): Process {
  const startedAt = performance.now();
  const child = new Deno.Command(command, {
    args,
    ...options,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let output = "";
  let ended = false;
  let wake = () => {};
  const read = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      // The output is bounded, so that it cannot fill the memory of the bench.
      output = (output + decoder.decode(chunk, { stream: true })).slice(-64 * 1024);
      wake();
    }
  };
  const reading = Promise.all([read(child.stdout), read(child.stderr)]).then(() => {
    ended = true;
    wake();
  });
  return {
    pid: child.pid,
    startedAt,
    ended: child.status,
    output: () => output,
    async printed(pattern) {
      let late = false;
      const timer = setTimeout(() => (late = true, wake()), 30_000);
      try {
        for (;;) {
          const match = pattern.exec(output);
          if (match) return match;
          if (late || ended) {
            throw new Error(`${command} ${args.join(" ")} did not print ${pattern}: ${output}`);
          }
          await new Promise<void>((resolve) => wake = resolve);
        }
      } finally {
        clearTimeout(timer);
      }
    },
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGKILL");
      } catch { /* It ended by itself. */ }
      await child.status;
      await reading;
    },
  };
}

/** Runs a program to its end and returns what it printed. */
export async function run(command: string, args: string[], cwd?: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args, cwd }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`${command} ${args.join(" ")}: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}

/** CPU time by process and thread, in microseconds. A thread that has ended keeps its last value. */
const seenThreads = new Map<number, Map<string, number>>();

/** The CPU time of a process, its threads and its children, in microseconds. */
export function cpuMicros(pid: number): number {
  let micros = 0;
  for (const one of withChildren(pid)) {
    const threads = seenThreads.get(one) ?? new Map<string, number>();
    seenThreads.set(one, threads);
    // Read for each thread, in nanoseconds: the sum of the process counts in ticks of 10 ms.
    for (const { name } of Deno.readDirSync(`/proc/${one}/task`)) {
      try {
        const nanos = Deno.readTextFileSync(`/proc/${one}/task/${name}/schedstat`).split(" ")[0];
        threads.set(name, Number(nanos) / 1000);
      } catch { /* The thread ended meanwhile. */ }
    }
    for (const used of threads.values()) micros += used;
  }
  return micros;
}

/** Resident memory in bytes: now, and the highest since {@link forgetPeak}. */
export function memory(pid: number): { bytes: number; peak: number } {
  const sum = { bytes: 0, peak: 0 };
  for (const one of withChildren(pid)) {
    const status = Deno.readTextFileSync(`/proc/${one}/status`);
    sum.bytes += 1024 * Number(/VmRSS:\s+(\d+)/.exec(status)![1]);
    sum.peak += 1024 * Number(/VmHWM:\s+(\d+)/.exec(status)![1]);
  }
  return sum;
}

/** Resets the highest resident memory to the present one. */
export function forgetPeak(pid: number): void {
  for (const one of withChildren(pid)) Deno.writeTextFileSync(`/proc/${one}/clear_refs`, "5");
}

/** Sockets and other files that a process holds open. */
export function openFiles(pid: number): { sockets: number; all: number } {
  let sockets = 0;
  let all = 0;
  for (const { name } of Deno.readDirSync(`/proc/${pid}/fd`)) {
    all++;
    try {
      if (Deno.readLinkSync(`/proc/${pid}/fd/${name}`).startsWith("socket:")) sockets++;
    } catch { /* Closed meanwhile. */ }
  }
  return { sockets, all };
}

function withChildren(pid: number): number[] {
  const children = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`).trim();
  return [pid, ...children ? children.split(" ").flatMap((child) => withChildren(Number(child))) : []];
}
