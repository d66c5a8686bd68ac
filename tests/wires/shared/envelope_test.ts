import { assert, assertEquals } from "@std/assert";
import fc from "npm:fast-check@4.10.2";
import { isEnvelope, seal, unseal } from "../../../wires/shared/envelope.ts";
import { base64, base64url, fromBase64url } from "../../../wires/shared/base64.ts";

Deno.test("seal() writes the maker's name and its proof, and unseal() reads them", () => {
  const sealed = seal({ text: "shown beside", signature: "AB+/=", format: "google-gemini-v1" });
  assertEquals(sealed, `slc1.google-gemini-v1.${btoa('{"signature":"AB+/="}').replaceAll("=", "")}`);
  assertEquals(unseal(sealed), { thought: { signature: "AB+/=", format: "google-gemini-v1" } });
});

Deno.test("seal() writes an envelope also for a thought without a proof", () => {
  assertEquals(seal({ text: "hm" }), "slc1.text.");
  assertEquals(unseal("slc1.text."), { thought: {} });
});

Deno.test("unseal() returns undefined for other texts, and an empty thought for a damaged envelope", () => {
  for (const other of ["", "EqQBCkYIAxgCIkA", "slc1", "xslc1.text."]) {
    assertEquals(unseal(other), undefined, other);
  }
  for (const damaged of ["slc1.", "slc1.text", "slc1.text.%%%", "slc1.text.eyJ", "slc1.text.W10"]) {
    assertEquals(unseal(damaged)?.thought.signature, undefined, damaged);
  }
});

Deno.test("seal() and unseal() carry any thought", () => {
  const some = fc.option(fc.string({ unit: "grapheme", minLength: 1 }), { nil: undefined });
  fc.assert(
    fc.property(
      some,
      some,
      some,
      some,
      some,
      some,
      fc.boolean(),
      (text, signature, redacted, id, format, bound, of) => {
        const sealed = seal({ text, signature, redacted, id, format, bound }, {
          withText: true,
          ofAnswer: of,
        });
        assert(isEnvelope(sealed));
        assert(/^[\w.-]+$/.test(sealed), sealed);
        const thought = Object.fromEntries(
          Object.entries({ text, signature, redacted, id, format, bound }).filter(([, value]) =>
            value !== undefined
          ),
        );
        assertEquals(unseal(sealed), of ? { thought, ofAnswer: true } : { thought });
      },
    ),
  );
});

Deno.test("base64() gives the same as btoa(), at any length", () => {
  for (const length of [0, 1, 2, 3, 8189, 8190, 8191, 20_000]) {
    const bytes = Uint8Array.from({ length }, (_, at) => at * 7);
    assertEquals(base64(bytes), btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")));
  }
  assertEquals(fromBase64url(base64url("Grüße ☃")), "Grüße ☃");
  assertEquals(fromBase64url("%"), undefined);
});
