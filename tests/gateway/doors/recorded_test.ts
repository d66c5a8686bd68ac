/** Answers of a provider that speaks Responses, as a gateway that keeps responses passes them on. */
import { assert, assertEquals } from "@std/assert";
import type { Options } from "../../../mod.ts";
import { before, events, post } from "../../fakes.ts";

const TOKEN = { authorization: "Bearer token-a" };
const THEIRS = {
  id: "resp_theirs",
  object: "response",
  status: "completed",
  output: [{
    id: "msg_1",
    type: "message",
    role: "assistant",
    content: [{ type: "output_text", text: "Hi" }],
  }],
};

const optionsOf = (responses: object): Options => ({
  responses: { store: true, ...responses },
  tokens: [{ token: "token-a", name: "a" }],
  keys: { openai: "k" },
});

const request = (body: object = {}) =>
  post("http://gateway.test/v1/responses", { model: "openai/gpt-6-luna", input: "Hello", ...body }, TOKEN);

/** Sends a request before a provider with this answer. */
async function send(answer: () => Response, body: object = {}, responses: object = {}) {
  const lines: string[] = [];
  const { error } = console;
  console.error = (line: string) => void lines.push(line);
  const { fetch } = before(answer, optionsOf(responses));
  const response = await fetch(request(body));
  const text = await response.text();
  console.error = error;
  const get = async (id: string) =>
    (await fetch(new Request(`http://gateway.test/v1/responses/${id}`, { headers: TOKEN }))).json();
  return { status: response.status, headers: response.headers, text, lines, get };
}

const cutInto = (text: string, size: number) =>
  Array.from({ length: Math.ceil(text.length / size) }, (_, at) => text.slice(at * size, (at + 1) * size));

/** Bytes that come in pieces. */
const pieces = (text: string, size: number) =>
  ReadableStream.from(cutInto(text, size)).pipeThrough(new TextEncoderStream());

const json = (body: BodyInit, length?: number) =>
  new Response(body, {
    headers: {
      "content-type": "application/json",
      ...length !== undefined && { "content-length": `${length}` },
    },
  });

Deno.test("the length of a kept answer is that of what the client gets", async () => {
  const whole = JSON.stringify(THEIRS);
  const { text, headers } = await send(() => json(whole, whole.length));
  assert(text.length > whole.length);
  const told = headers.get("content-length");
  assert(told === null || Number(told) === new TextEncoder().encode(text).length, `${told}`);
});

Deno.test("a whole answer that is longer than what may be kept is passed on byte by byte", async () => {
  const long = JSON.stringify({ ...THEIRS, more: "ü".repeat(5000) });
  for (const size of [100, 20_000]) {
    const { status, text, lines } = await send(() => json(pieces(long, size), 9), {}, { maxBytes: 3000 });
    assertEquals([status, text === long], [200, true], `${size}`);
    assertEquals(lines, ["Warning: the store of responses failed once: a response is too long to be stored"]);
  }
});

Deno.test("a whole answer that breaks off is an error", async () => {
  const broken = () =>
    new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode('{"object":"resp')),
      pull: (controller) => controller.error(new TypeError("cut")),
    });
  const { status, text } = await send(() => json(broken()));
  assertEquals([status, JSON.parse(text).error.message.includes("broke off")], [502, true], text);
});

const event = (type: string, more: object) =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
const CREATED = event("response.created", { response: { ...THEIRS, status: "in_progress", output: [] } });

Deno.test("an event that only looks like one with a response, and one after the last, are passed on as they are", async () => {
  const odd = [
    'data: "response": {\n\n',
    'data: ["response": 1]\n\n',
    'data: {"type":"x","response": 5}\n\n',
    `data: ${JSON.stringify({ type: "response.output_item.done" })}\n\n`,
  ];
  const late = event("response.completed", { response: { ...THEIRS, id: "resp_late" } });
  const { text, get } = await send(
    () => events(CREATED, ...odd, event("response.completed", { response: THEIRS }), late),
    { stream: true },
  );
  for (const one of [...odd, late]) assert(text.includes(one), one);
  const id = /resp_sluice_[0-9a-f]{32}/.exec(text)![0];
  assertEquals((await get(id)).output, THEIRS.output);
});

Deno.test("an event that is longer than what may be kept is passed on whole, as are those behind it", async () => {
  const long = `data: ${"x".repeat(8000)}\n\n`;
  const last = event("response.completed", { response: THEIRS });
  for (const cut of [500, 100_000]) {
    const { text, lines } = await send(
      () => events(...cutInto(CREATED + long + last, cut)),
      { stream: true },
      { maxBytes: 3000 },
    );
    assert(text.includes(long), `${cut}`);
    // One that came in pieces was never held as a whole: nothing behind it is read.
    assertEquals([text.includes(last), lines.length], cut === 500 ? [true, 1] : [false, 0], `${cut}`);
  }
});

Deno.test("a stream of short events is kept however long it is, and nothing behind its end is too long", async () => {
  const short = event("response.output_text.delta", { item_id: "msg_1", delta: "x".repeat(200) });
  const all = CREATED + short.repeat(40) + event("response.completed", { response: THEIRS });
  const end = `: ${"x".repeat(8000)}`;
  for (const cut of [150, 100_000]) {
    const { text, lines, get } = await send(
      () => events(...cutInto(all, cut), end),
      { stream: true },
      { maxBytes: 3000 },
    );
    assert(text.endsWith(end));
    assertEquals([(await get(/resp_sluice_[0-9a-f]{32}/.exec(text)![0])).status, lines], ["completed", []]);
  }
});

Deno.test("items are listed with a type, and messages with a status and their text as a part", async () => {
  const input = [
    { role: "assistant", content: "Hi", id: null, status: "incomplete" },
    { role: "user", content: "Look" },
    { type: "message", role: "user", content: [{ type: "input_text", text: "x" }], status: "completed" },
    { type: "function_call", call_id: "c", name: "f", arguments: "{}", id: "fc_mine" },
    { type: "function_call_output", call_id: "c", output: "1" },
    { type: "constructor" },
  ];
  const { text, get } = await send(() => Response.json(THEIRS), { input });
  const { data } = await get(`${JSON.parse(text).id}/input_items?order=asc`);
  const shown = data.map(({ id, ...item }: { id: unknown }) => [typeof id, item]);
  assertEquals(
    shown,
    [
      ["string", {
        ...input[0],
        id: undefined,
        type: "message",
        content: [{ type: "output_text", text: "Hi", annotations: [] }],
      }],
      ["string", {
        ...{ type: "message", role: "user", status: "completed" },
        content: [{ type: "input_text", text: "Look" }],
      }],
      ["string", input[2]],
      ["string", { type: "function_call", call_id: "c", name: "f", arguments: "{}" }],
      ["string", input[4]],
      ["string", input[5]],
    ].map(([kind, item]) => [kind, JSON.parse(JSON.stringify(item))]),
  );
  assertEquals(data[3].id, "fc_mine");
  const prefixes = data.map(({ id }: { id: string }) => id.split("_")[0]);
  assertEquals(prefixes, ["msg", "msg", "msg", "fc", "fco", "item"]);
});
