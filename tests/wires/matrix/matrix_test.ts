/** Each client's format before each provider's, whole and streamed, through the official SDKs and strict fakes. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Asked, type Json, lab } from "../../acceptance/lab.ts";
import { bytesOf, type Scenario, streamed, TEXT, typeOf } from "../shared.ts";
import { type Client, CLIENTS, type Fetch, type Seen } from "./clients.ts";
import { type Column, COLUMNS } from "./providers.ts";
import { type Row, rowOf, ROWS } from "./scenarios.ts";
import { holds } from "./table.ts";

// deno-lint-ignore no-explicit-any -- Errors of either SDK.
type Any = any;

/** Whether answers are handed through. */
const isHanded = (client: Client, { wire, mended }: Column) => client.wire === wire && !mended;

/** Pairs that have no cell of their own: OpenAI's clients get its Responses there where they ask for chat. */
const isCell = (client: Client, { name }: Column) => !(client.wire === "responses" && name === "OpenAI chat");

const isStreamed = ({ url, body }: Asked) =>
  body.stream === true || /(?:streamGenerateContent|-stream)$/.test(url.pathname);

/** A gateway before a strict provider that gives these answers one after the other. */
function before(column: Column, answers: readonly Scenario[]) {
  const strict = column.strict(answers);
  let at = 0;
  return lab(async (asked) => {
    const refusal = await strict.play(asked);
    if (!refusal.ok) return refusal;
    await refusal.body?.cancel();
    const answer = answers[at++];
    return isStreamed(asked)
      ? streamed(column.fake, column.fake.stream(answer))
      : Response.json(column.fake.whole(answer));
  });
}

/** The gateway, its streams held to the client's protocol where it has written them. */
function checked(client: Client, column: Column, fetch: Fetch): Fetch {
  return async (request) => {
    const response = await fetch(request);
    if (!response.ok || isHanded(client, column)) return response;
    const text = await response.text();
    if (response.headers.get("content-type") === "text/event-stream") client.validate(text);
    else client.validateWhole?.(JSON.parse(text));
    return new Response(text, response);
  };
}

/** Has the whole conversation of a row. */
async function converse(client: Client, column: Column, { ask, answers }: Row, stream: boolean) {
  const { gateway, asked } = before(column, answers);
  const history: Json[] = [];
  const seen: Seen[] = [];
  for (const _ of answers) {
    const body = client.body(column.model, ask, history);
    const said = await client.send(checked(client, column, gateway.fetch), body, stream);
    seen.push(said);
    const results = said.calls.map(({ id, name }) => ({ id, said: `${name} says 7` }));
    history.push(...said.turn, ...client.results(results.reverse()));
  }
  return { asked, seen };
}

// ---------------------------------------------------------------- answers

for (const client of CLIENTS) {
  for (const column of COLUMNS.filter((column) => isCell(client, column))) {
    for (const row of ROWS.filter(({ name }) => !column.lacks.includes(name))) {
      Deno.test(`${client.name} to ${column.name}: ${row.name}`, async () => {
        for (const stream of [false, true]) {
          const { asked, seen } = await converse(client, column, row, stream);
          assertEquals(
            seen.map(pick),
            row.answers.map((answer) => expected(answer, client)),
            `stream: ${stream}`,
          );
          assertEquals(
            seen.map(({ calls }) => new Set(calls.map(({ id }) => id)).size),
            seen.map(({ calls }) => calls.length),
          );
          for (const mark of row.marks) assert(holds(asked[0].text, mark), `${mark} in ${asked[0].text}`);
          assertEquals(asked.length, row.answers.length);
          if (asked.length === 1) continue;
          checkGrowth(column, asked[0].body, asked[1].body);
          for (const { name } of row.answers[0].calls!) assert(asked[1].text.includes(`${name} says 7`));
          if (row.ask.thinks && column.keeps) assert(asked[1].text.includes(column.keeps), asked[1].text);
        }
      });
    }
  }
}

const pick = ({ thinking, text, refusal, calls, finish, usage }: Seen) => ({
  thinking,
  text,
  refusal,
  calls: calls.map(({ name, args }) => ({ name, args })),
  finish,
  usage,
});

/** What a client must have read. */
function expected(
  { thinking, text, refusal, calls = [], finish, usage }: Scenario,
  client: Client,
) {
  // A message of Anthropic's declines by its stop reason, and says why in its text.
  const declines = refusal && client.wire === "anthropic";
  return {
    thinking: thinking?.join("") ?? "",
    text: (declines ? refusal : text)?.join("") ?? "",
    refusal: declines ? "" : refusal?.join("") ?? "",
    calls: calls.map(({ name, args }) => ({ name, args: JSON.parse(args.join("") || "{}") })),
    finish: declines ? "content_filter" : finish,
    usage: { ...usage },
  };
}

/** Request N+1 begins with request N: what stands before the conversation is the same, and so is the conversation so far. */
function checkGrowth({ conversation }: Column, first: Json, second: Json): void {
  const { [conversation]: began, ...head } = first;
  const { [conversation]: went, ...after } = second;
  assertEquals(after, head);
  assertEquals((went as Json[]).slice(0, (began as Json[]).length), began as Json[]);
  assert((went as Json[]).length > (began as Json[]).length);
}

// ---------------------------------------------------------------- failures

/** What a provider says, and the status that the client must get. */
const REFUSALS: [status: number, message: string, told: string][] = [
  [400, "This model has no colour.", "This model has no colour."],
  [401, "The key is not valid.", "The key is not valid."],
  [404, "There is no such model.", "There is no such model."],
  [429, "Slow down, please.", "Slow down, please."],
  [500, "It is on fire.", "It is on fire."],
  [503, "There is no room left.", "There is no room left."],
];

const TOO_LONG = "prompt is too long: 205018 tokens > 200000 maximum";

for (const client of CLIENTS) {
  for (const column of COLUMNS.filter((column) => isCell(client, column))) {
    const { ask } = rowOf("text");
    const body = client.body(column.model, ask, []);

    Deno.test(`${client.name} to ${column.name}: errors`, async () => {
      for (const stream of [false, true]) {
        const raised = async (status: number, message: string): Promise<Any> => {
          const { gateway } = lab(() =>
            Response.json(column.refuses(status, message), { status, headers: { "retry-after": "7" } })
          );
          return await assertRejects(() => client.send(gateway.fetch, body, stream), client.error as Any);
        };
        for (const [status, message, told] of REFUSALS) {
          const error = await raised(status, message);
          assertEquals(error.status, status);
          assert(error.message.includes(told), error.message);
          assertEquals(error.headers.get("retry-after"), "7");
          if (client.wire === "anthropic" && !isHanded(client, column)) {
            assertEquals([error.error.type, typeof error.error.request_id], ["error", "string"]);
          }
        }
        const error = await raised(400, column.tooLong);
        if (client.wire === "anthropic") assert(error.message.includes(TOO_LONG), error.message);
        else if (!isHanded(client, column)) assertEquals(error.code, "context_length_exceeded");
      }
    });

    Deno.test(`${client.name} to ${column.name}: an error in mid-stream`, async () => {
      const list = column.fake.stream(TEXT);
      for (let before = 1; before < list.length - 2; before++) {
        const broken = [...list.slice(0, before), column.fake.failure("no room left"), ...list.slice(before)];
        const { gateway } = lab(() => streamed(column.fake, broken));
        const fetch = checked(client, column, gateway.fetch);
        const error = await assertRejects(
          () => client.send(fetch, body, true),
          Error,
          "",
          `after ${before} events`,
        );
        assert(error.message.includes("no room left"), error.message);
      }
    });

    Deno.test(`${client.name} to ${column.name}: a broken connection`, async () => {
      const [first, second] = column.fake.stream(TEXT);
      const { gateway } = lab(() => {
        const pieces = [bytesOf(column.fake, [first, second])];
        const body = new ReadableStream({
          pull(controller) {
            const piece = pieces.shift();
            if (piece) controller.enqueue(piece);
            else controller.error(new Error("connection reset"));
          },
        });
        return new Response(body, { headers: { "content-type": typeOf(column.fake) } });
      });
      await assertRejects(() => client.send(checked(client, column, gateway.fetch), body, true));
    });

    Deno.test(`${client.name} to ${column.name}: a cut stream`, async () => {
      for (const name of ["text", "parallel tools"]) {
        const row = rowOf(name);
        const list = column.fake.stream(row.answers[0]);
        const end = list.findIndex(({ data }) => ENDS.test(JSON.stringify(data)));
        assert(end > 0);
        for (let kept = 0; kept < end; kept++) {
          const { gateway } = lab(() => streamed(column.fake, list.slice(0, kept)));
          const sent = client.body(column.model, row.ask, []);
          const fetch = checked(client, column, gateway.fetch);
          await assertRejects(
            () => client.send(fetch, sent, true),
            Error,
            "",
            `${name}, after ${kept} events`,
          );
        }
      }
    });
  }
}

const ENDS =
  /stop_reason":"|stopReason|finishReason|finish_reason":?"|message_stop|response\.(?:completed|incomplete)/;
