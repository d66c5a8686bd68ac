import { assertEquals } from "@std/assert";
import type { Options } from "../../../gateway/setup/options.ts";
import { ask, before, completion, message, post, ROOT } from "../../fakes.ts";
import { readSpans } from "../../otlp.ts";

const ID = "0af7651916cd43dd8448eb211c80319c", SPAN = "b7ad6b7169203331";
const OTHER_ID = "f".repeat(32), OTHER_SPAN = "e".repeat(16);
const COLLECTOR = "http://collector.test/v1/traces";

/** The span of a request with these headers, and the id of its row; no span if it is not traced. */
async function traced(headers: Record<string, string>) {
  const bodies: string[] = [];
  const { fetch, close } = before((sent) => {
    if (sent.url !== COLLECTOR) return completion();
    bodies.push(sent.body);
    return Response.json({});
  }, { otel: { url: COLLECTOR } });
  const response = await fetch(ask("openai/gpt", headers));
  await response.text();
  await new Promise((resolve) => setTimeout(resolve, 0));
  await close();
  assertEquals(response.status, 200);
  const id = response.headers.get("cf-aig-log-id")!.replaceAll("-", "");
  return { id, spans: bodies.flatMap((body) => readSpans(body).spans) };
}

Deno.test("a valid traceparent, or Cloudflare's headers, make the request a part of the client's trace", async () => {
  const cases: [Record<string, string>, trace: string, parent?: string, state?: string][] = [
    [{ traceparent: `00-${ID}-${SPAN}-01` }, ID, SPAN],
    [{ traceparent: ` 00-${ID}-${SPAN}-03 ` }, ID, SPAN],
    [{ traceparent: `00-${ID}-${SPAN}-01`, tracestate: "a=1,b=2" }, ID, SPAN, "a=1,b=2"],
    [{ traceparent: `00-${ID}-${SPAN}-01`, tracestate: "x".repeat(513) }, ID, SPAN],
    // A version of the future may have more parts.
    [{ traceparent: `cc-${ID}-${SPAN}-01-what-the-future-brings` }, ID, SPAN],
    [{ "cf-aig-otel-trace-id": ID, "cf-aig-otel-parent-span-id": SPAN }, ID, SPAN],
    [
      { "cf-aig-otel-trace-id": ID.toUpperCase(), "cf-aig-otel-parent-span-id": SPAN.toUpperCase() },
      ID,
      SPAN,
    ],
    [{ "cf-aig-otel-trace-id": ID }, ID],
    [{ "cf-aig-otel-trace-id": ID, "cf-aig-otel-parent-span-id": "no" }, ID],
    [
      {
        "cf-aig-otel-trace-id": ID,
        "cf-aig-otel-parent-span-id": SPAN,
        traceparent: `00-${OTHER_ID}-${OTHER_SPAN}-00`,
      },
      ID,
      SPAN,
    ],
  ];
  for (const [headers, trace, parent, state] of cases) {
    const { spans: [span, attempt], id } = await traced(headers);
    assertEquals(
      [span.traceId, span.parentSpanId, span.traceState, span.spanId],
      [trace, parent, state, id.slice(16)],
      JSON.stringify(headers),
    );
    assertEquals([attempt.traceId, attempt.parentSpanId], [trace, span.spanId]);
  }
});

Deno.test("malformed headers of a trace are ignored: the trace has the id of the row", async () => {
  const zeros = "0".repeat(32);
  const malformed = [
    "",
    "x",
    `00-${ID}-${SPAN}`,
    `00-${ID}-${SPAN}-01-more`,
    `00-${ID.toUpperCase()}-${SPAN}-01`,
    `00-${ID}0-${SPAN}-01`,
    `00-${zeros}-${SPAN}-01`,
    `00-${ID}-${zeros.slice(16)}-01`,
    `ff-${ID}-${SPAN}-01`,
    `00-${ID}-${SPAN}-0g`,
    `00-${ID}-${SPAN}-01, 00-${ID}-${SPAN}-01`,
    "0".repeat(10_000),
  ].map((traceparent): Record<string, string> => ({ traceparent, tracestate: "a=1" }));
  const strange = [ID.slice(1), zeros, `${ID}g`, `${ID}\u00e9`, "-".repeat(32)]
    .map((id): Record<string, string> => ({
      "cf-aig-otel-trace-id": id,
      "cf-aig-otel-parent-span-id": SPAN,
    }));
  for (const headers of [{}, ...malformed, ...strange, { "cf-aig-otel-parent-span-id": SPAN }]) {
    const { spans: [span], id } = await traced(headers);
    assertEquals(
      [span.traceId, span.parentSpanId, span.traceState],
      [id, undefined, undefined],
      JSON.stringify(headers),
    );
  }
});

Deno.test("a client that does not record its trace has no span", async () => {
  for (const flags of ["00", "02", "fe"]) {
    assertEquals((await traced({ traceparent: `00-${ID}-${SPAN}-${flags}` })).spans, []);
  }
});

Deno.test("a row with traces gets the trace, and no other provider gets a header of tracing", async () => {
  const client = { traceparent: `00-${ID}-${SPAN}-01`, tracestate: "a=1", baggage: "user=me", b3: "0" };
  const own = { providers: { openai: { traces: true } } };
  const headersOf = async (options: Options, headers: Record<string, string>, request = ask) => {
    const { fetch, close, sent } = before(
      ({ url }) =>
        url === COLLECTOR ? Response.json({}) : url.includes("anthropic") ? message() : completion(),
      options,
    );
    const response = await fetch(request("openai/gpt", headers));
    await response.text();
    await new Promise((resolve) => setTimeout(resolve, 0));
    await close();
    const told = sent.filter(({ url }) => url === COLLECTOR).flatMap(({ body }) => readSpans(body).spans);
    const names = ["traceparent", "tracestate", "baggage", "b3"];
    return { sent: names.map((name) => sent[0].headers.get(name)), attempt: told.at(-1)?.spanId };
  };
  const otel = { url: COLLECTOR };
  const traced = await headersOf({ ...own, otel }, client);
  assertEquals(traced.sent, [`00-${ID}-${traced.attempt}-01`, "a=1", null, null]);
  const native: typeof ask = (_, headers) =>
    post(`${ROOT}/openai/chat/completions`, { model: "gpt", messages: [] }, headers);
  const byPath = await headersOf({ ...own, otel }, client, native);
  assertEquals(byPath.sent, [`00-${ID}-${byPath.attempt}-01`, "a=1", null, null]);
  // Without spans of its own, the gateway hands the client's on.
  assertEquals((await headersOf(own, client)).sent, [client.traceparent, "a=1", null, null]);
  const later = `cc-${ID}-${SPAN}-03-more`;
  assertEquals((await headersOf(own, { traceparent: later })).sent, [later, null, null, null]);
  const unsampled = { traceparent: `00-${ID}-${SPAN}-00` };
  assertEquals((await headersOf({ ...own, otel }, unsampled)).sent, [
    unsampled.traceparent,
    null,
    null,
    null,
  ]);
  assertEquals((await headersOf(own, { traceparent: "no", tracestate: "a=1" })).sent, [
    null,
    null,
    null,
    null,
  ]);
  const token = { ...own, otel, tokens: ["secret-token"], tokenRequired: false };
  const holding = await headersOf(token, { ...client, tracestate: "a=secret-token" });
  assertEquals(holding.sent, [`00-${ID}-${holding.attempt}-01`, null, null, null]);
  for (const options of [{}, { otel }]) {
    assertEquals((await headersOf(options, client)).sent, [null, null, null, null]);
  }
});
