/** Recorded answers of Google: sources and errors. The tests of all wires cover the rest. */
import { assert, assertEquals } from "@std/assert";
import { collector } from "../gathered.ts";
import { gemini } from "../../../wires/gemini/mod.ts";
import { object } from "../../../wires/shared/json.ts";
import type { JsonObject } from "../../../wires/types.ts";
import { recordedTest, recordings } from "../../recordings.ts";

interface Recorded {
  name: string;
  status: number;
  /** The whole answer, or a stream's chunks. */
  bodies: JsonObject[];
}

/** The recorded answers, or the recorded errors. */
function recorded(kind: "answers" | "errors"): Recorded[] {
  const list = recordings("google-ai-studio", "google-vertex-ai").filter(({ api, response }) =>
    /generateContent/i.test(api) && (response.status === 200) === (kind === "answers")
  );
  assert(list.length > 0, `no recorded ${kind}`);
  return list.map(({ name, response: { status, body, stream } }) => {
    const events = stream?.startsWith("data:") ? stream.matchAll(/^data: ?(.*)$/gm) : [];
    const bodies = stream === undefined
      ? [body].flat()
      : stream.startsWith("[")
      ? JSON.parse(stream)
      : Array.from(events, ([, data]: string[]) => JSON.parse(data));
    return { name, status, bodies };
  });
}

recordedTest("the readers cite the very passages that Google quotes", () => {
  let passages = 0;
  for (const { name, bodies } of recorded("answers")) {
    const { emit, answer } = collector();
    const reader = gemini.readStream(emit);
    for (const body of bodies) reader.frame(JSON.stringify(body), "");
    reader.end();
    const quotes = bodies.flatMap((body) => {
      const [candidate] = (body.candidates ?? []) as JsonObject[];
      const supports = object(candidate?.groundingMetadata)?.groundingSupports ?? [];
      return (supports as { segment: { text: string } }[]).map(({ segment }) => segment.text);
    });
    const { text = "", citations = [] } = answer.choices[0] ?? {};
    const cited = citations.filter(({ end }) => end > 0).map(({ start, end }) => text.slice(start, end));
    assertEquals(new Set(cited), new Set(quotes), name);
    passages += quotes.length;
  }
  assertEquals(passages > 5, true);
});

recordedTest("readError() finds the message and the kind of every recorded error", () => {
  const types: Record<number, string> = {
    400: "invalid_request_error",
    404: "not_found_error",
    429: "rate_limit_error",
  };
  for (const { name, status, bodies } of recorded("errors")) {
    const { message, type } = gemini.readError(status, bodies);
    assertEquals([message, type], [object(bodies[0].error)?.message, types[status]], name);
  }
});
