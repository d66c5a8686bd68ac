/** Recorded answers of Google's, beyond what every provider's are put through: sources and errors. */
import { assertEquals } from "@std/assert";
import { collector } from "../../wires/collect.ts";
import { gemini } from "../../wires/gemini.ts";
import { object } from "../../wires/json.ts";
import type { JsonObject } from "../../wires/types.ts";

const RECORDINGS = new URL("../../../shared/recordings/", import.meta.url);

interface Recording {
  name: string;
  status: number;
  /** The whole answer, or a stream's chunks. */
  bodies: JsonObject[];
}

function recordings(): Recording[] {
  const found: Recording[] = [];
  for (const provider of ["google-ai-studio", "google-vertex-ai"]) {
    const folder = new URL(`${provider}/`, RECORDINGS);
    for (const { name } of Deno.readDirSync(folder)) {
      const { api, response } = JSON.parse(Deno.readTextFileSync(new URL(name, folder)));
      if (!/generateContent/i.test(api)) continue;
      const events = response.stream?.startsWith("data:") ? response.stream.matchAll(/^data: ?(.*)$/gm) : [];
      const bodies = response.stream === undefined
        ? [response.body].flat()
        : response.stream.startsWith("[")
        ? JSON.parse(response.stream)
        : Array.from(events, ([, data]: string[]) => JSON.parse(data));
      found.push({ name, status: response.status, bodies });
    }
  }
  return found;
}

const ignore = !(() => {
  try {
    return Deno.statSync(RECORDINGS).isDirectory;
  } catch {
    return false;
  }
})();

Deno.test({
  name: "the readers cite the very passages that Google quotes",
  ignore,
  fn() {
    let passages = 0;
    for (const { name, status, bodies } of recordings()) {
      if (status !== 200) continue;
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
  },
});

Deno.test({
  name: "readError() finds the message and the kind of every recorded error",
  ignore,
  fn() {
    const types: Record<number, string> = {
      400: "invalid_request_error",
      404: "not_found_error",
      429: "rate_limit_error",
    };
    for (const { name, status, bodies } of recordings()) {
      if (status === 200) continue;
      const { message, type } = gemini.readError(status, bodies);
      assertEquals([message, type], [object(bodies[0].error)?.message, types[status]], name);
    }
  },
});
