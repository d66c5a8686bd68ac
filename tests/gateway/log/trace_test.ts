import { assertEquals } from "@std/assert";
import { ask, before, completion } from "../../fakes.ts";
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
