/** Times whole answers: read from a provider's format and written in the client's. */
import { assertEquals } from "@std/assert";
import { WIRES } from "../providers/kinds.ts";
import { collector } from "../wires/streams/collect.ts";
import { parseExact } from "../wires/shared/json.ts";
import { writeAnswer } from "../wires/openai_chat/write_answer.ts";
import type { JsonObject, ProviderWire } from "../wires/types.ts";
import { CALL, DEFAULTS, size } from "./loads.ts";
import { SHAPES, text } from "./shapes.ts";

function rewrite(wire: ProviderWire, written: string): string {
  const { emit, answer } = collector();
  wire.readAnswer(parseExact(written) as JsonObject, emit);
  return JSON.stringify(writeAnswer(answer, CALL, DEFAULTS));
}

for (const shape of ["anthropic", "gemini", "cohere", "perplexity", "responses"] as const) {
  for (const pieces of [60, 20_000]) {
    const written = JSON.stringify(SHAPES[shape].whole(pieces));
    const wire = WIRES[shape];
    assertEquals(JSON.parse(rewrite(wire, written)).choices[0].message.content, text(pieces), shape);
    const group = `whole answer, ${shape} to openai, ${size(written.length)}`;
    Deno.bench(
      "JSON.parse and JSON.stringify",
      { group, baseline: true },
      () => void JSON.stringify(JSON.parse(written)),
    );
    Deno.bench("readAnswer and writeAnswer", { group }, () => void rewrite(wire, written));
  }
}
