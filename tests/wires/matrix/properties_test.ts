/** What holds for any conversation of any client with any provider, whatever it answers. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "npm:fast-check@4.10.2";
import { wiresFor } from "../../../gateway/upstream/spoken.ts";
import { findProvider } from "../../../providers/table.ts";
import { anthropicMessages } from "../../../wires/anthropic_messages/mod.ts";
import { openaiChat } from "../../../wires/openai_chat/mod.ts";
import { openaiResponses } from "../../../wires/openai_responses/mod.ts";
import { collector } from "../../../wires/streams/collect.ts";
import type { Answer, ClientWire, Delta, ProviderWire, Usage } from "../../../wires/types.ts";
import { events, type Json } from "../../acceptance/lab.ts";
import { chance } from "../../runs.ts";
import { type Client, CLIENTS, type Fetch, type Seen } from "./clients.ts";
import { type Column, COLUMNS } from "./providers.ts";
import type { Ask } from "./scenarios.ts";

// ---------------------------------------------------------------- any answer

const DELIMITERS = ["\n\n", "data: x\n\nevent: y", '"quoted" \\ ', "\u2028", "🗼", "\ud83d", " ", "{}"];
const piece = fc.oneof(
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 6 }),
  fc.constantFrom(...DELIMITERS),
)
  // Half a character cannot be sent as UTF-8.
  .map((text) => text.toWellFormed());
const textPieces = fc.array(piece, { minLength: 1, maxLength: 4 });
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record<T>(model, { noNullPrototype: true });

/** A step of an answer: something said in pieces, or calls whose pieces come in turns. */
const step = fc.oneof(
  record({ kind: fc.constant("text" as const), pieces: textPieces }),
  record({
    kind: fc.constant("thought" as const),
    pieces: textPieces,
    format: fc.constantFrom(
      undefined,
      "anthropic-claude-v1",
      "google-gemini-v1",
      "openai-responses-v1",
      "a-stranger-v1",
    ),
  }),
  record({
    kind: fc.constant("calls" as const),
    calls: fc.array(
      record({
        name: fc.constantFrom("weather", "clock"),
        said: fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 2 }),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    size: fc.integer({ min: 1, max: 9 }),
  }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const tokens = fc.nat({ max: 1e6 });
const usage: fc.Arbitrary<Usage> = record({
  input: tokens,
  cacheRead: tokens,
  cacheWrite: tokens,
  audioIn: fc.constant(0),
  output: tokens,
  reasoning: tokens,
  audioOut: fc.constant(0),
});

/** Whether a provider takes it back as a turn of its own: many refuse blanks, and leave them out. */
const isSaid = (step: Step) =>
  step.kind === "calls" || step.kind === "text" && step.pieces.join("").trim() !== "";

/** A whole answer, which says something. */
const answer = record({
  steps: fc.array(step, { minLength: 1, maxLength: 5 }).filter((steps) => steps.some(isSaid)),
  reason: fc.constantFrom("stop" as const, "stop" as const, "length" as const, "content_filter" as const),
  usage,
});
type Said = typeof answer extends fc.Arbitrary<infer T> ? T : never;

let ids = 0;

/** Its deltas. */
function deltasOf({ steps, reason, usage }: Said): Delta[] {
  const deltas: Delta[] = [{ type: "start", id: "given", model: "m", created: 1_700_000_000 }];
  let block = 0, index = 0;
  for (const said of steps) {
    if (said.kind === "text") {
      for (const text of said.pieces) deltas.push({ type: "text", choice: 0, text });
    } else if (said.kind === "thought") {
      for (const text of said.pieces) deltas.push({ type: "thought", choice: 0, block, text });
      if (said.format) {
        deltas.push({ type: "thought", choice: 0, block, signature: "c2lnbmVk", format: said.format });
      }
      block++;
    } else index = pushCalls(said, index, deltas);
  }
  deltas.push({ type: "usage", usage }, { type: "stop", choice: 0, reason });
  return deltas;
}

/** All calls begin, and their arguments come in turns. */
function pushCalls(
  { calls, size }: Extract<Step, { kind: "calls" }>,
  first: number,
  deltas: Delta[],
): number {
  const texts = calls.map(({ said }) => JSON.stringify(said));
  calls.forEach(({ name }, at) =>
    deltas.push({ type: "tool", choice: 0, index: first + at, id: `call${++ids}`, name })
  );
  for (let at = 0; at < Math.max(...texts.map(({ length }) => length)); at += size) {
    texts.forEach((text, call) => {
      const piece = text.slice(at, at + size);
      // A pair of surrogates stays together, as in any provider's JSON.
      if (piece) deltas.push({ type: "args", choice: 0, index: first + call, text: piece });
    });
  }
  return first + calls.length;
}

/** What a client must read of it. */
function expected({ choices: [{ items, stop }], usage }: Answer) {
  const of = <T>(read: (item: Answer["choices"][0]["items"][0]) => T[]) => items.flatMap(read);
  const calls = of((item) => item.type === "tool" ? [item.call] : []);
  const { input, cacheRead, cacheWrite, output, reasoning } = usage!;
  return {
    thinking: of((item) => item.type === "thought" ? [item.thought.text ?? ""] : []).join(""),
    text: of((item) => item.type === "text" ? [item.text] : []).join(""),
    refusal: "",
    calls: calls.map(({ name, arguments: args }) => ({ name, args: JSON.parse(args) })),
    finish: calls.length > 0 && stop === "stop" ? "tool_calls" : stop!,
    usage: { prompt: input + cacheRead + cacheWrite, cached: cacheRead, completion: output + reasoning },
  };
}

const pick = ({ turn: _, calls, ...seen }: Seen) => ({
  ...seen,
  calls: calls.map(({ id: _, ...call }) => call),
});

// ---------------------------------------------------------------- any conversation

const tool = (name: string, member: string) => ({
  name,
  description: name,
  parameters: { type: "object", properties: { [member]: { type: "string" } } },
});

/** A question that offers the tools that answers call. */
const ask: fc.Arbitrary<Ask> = record({
  system: fc.option(piece, { nil: undefined }),
  user: piece.filter((text) => text.trim() !== ""),
  tools: fc.constant([tool("weather", "city"), tool("clock", "zone")]),
  thinks: fc.constantFrom(undefined, true as const),
});

const wireOf = ({ model, wire }: Column) =>
  wiresFor(findProvider(model.split("/")[0])!, model, () => undefined)
    .find((spoken) => spoken.wire.name === wire)!.wire as ProviderWire;
const CLIENT_WIRES: readonly ClientWire[] = [openaiChat, anthropicMessages, openaiResponses];

/** A provider that answers with deltas, read and written by the wires alone. */
function between(client: Client, column: Column, deltas: Delta[], sent: Json[]): Fetch {
  const wire = CLIENT_WIRES.find(({ name }) => name === client.wire)!;
  const provider = wireOf(column);
  return async (request) => {
    const body = await request.json();
    wire.checkCall(body);
    const call = wire.readCall(body, column.model.slice(column.model.indexOf("/") + 1));
    sent.push(JSON.parse(JSON.stringify(provider.writeCall(call).body)));
    const defaults = { id: `${wire.idPrefix}${++ids}`, created: 1_700_000_000, model: "m" };
    const writer = wire.writer(call, defaults);
    const text = deltas.map((delta) => writer.delta(delta)).join("") + writer.end();
    client.validate(text);
    return events(text);
  };
}

for (const client of CLIENTS) {
  for (const column of COLUMNS.filter(({ wire, mended }) => wire !== client.wire && !mended)) {
    Deno.test(`${client.name} to ${column.name}: any answers come back from the SDK, and requests only grow`, async () => {
      await fc.assert(
        fc.asyncProperty(ask, fc.array(answer, { minLength: 1, maxLength: 3 }), async (ask, answers) => {
          const sent: Json[] = [];
          const history: Json[] = [];
          for (const said of answers) {
            const deltas = deltasOf(said);
            const { emit, answer } = collector();
            deltas.forEach((delta) => emit(structuredClone(delta)));
            const body = client.body(column.model, ask, history);
            const seen = await client.send(between(client, column, deltas, sent), body, true);
            assertEquals(pick(seen), expected(answer));
            const results = client.results(seen.calls.map(({ id }) => ({ id, said: "7" })));
            history.push(
              ...seen.turn,
              ...seen.calls.length > 0 ? results : [{ role: "user", content: "Go on" }],
            );
          }
          sent.slice(1).forEach((body, at) => checkGrowth(column, sent[at], body));
        }),
        chance(6),
      );
    });
  }

  Deno.test(`${client.name}: any answer that breaks off is raised, behind what came before`, async () => {
    const column = COLUMNS.find(({ wire }) => wire !== client.wire)!;
    await fc.assert(
      fc.asyncProperty(ask, answer, fc.nat(), async (ask, said, place) => {
        const deltas = deltasOf(said);
        deltas.splice(1 + place % (deltas.length - 1), 0, {
          type: "error",
          error: { message: "It is on fire." },
        });
        const body = client.body(column.model, ask, []);
        const error = await assertRejects(
          () => client.send(between(client, column, deltas, []), body, true),
          Error,
        );
        assert(error.message.includes("It is on fire."), error.message);
      }),
      chance(20),
    );
  });
}

function checkGrowth({ conversation }: Column, first: Json, second: Json): void {
  const { [conversation]: began, ...head } = first;
  const { [conversation]: went, ...after } = second;
  assertEquals(withoutThinking(after), withoutThinking(head));
  assertEquals((went as Json[]).slice(0, (began as Json[]).length), began as Json[]);
}

/** Claude thinks in a turn only if it has begun that turn with a thought, which these answers need not. */
function withoutThinking({ thinking: _, additionalModelRequestFields: more, ...rest }: Json): Json {
  const { thinking: __, ...others } = (more ?? {}) as Json;
  return { ...rest, ...others };
}
