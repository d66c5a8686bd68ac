/** Credentials and frames of the clouds in a program, on every runtime. */
import { assertEquals } from "@std/assert";
import { SIGNATURES } from "../providers/sign/signatures.ts";
import { TEXT } from "../wires/shared.ts";
import { VECTORS } from "../wires/streams/aws_messages.ts";
import { ON_RUNTIMES } from "./programs.ts";

const SAID = TEXT.text!.join("");
const FRAMES = JSON.parse(JSON.stringify(Object.values(VECTORS).map(([, frame]) => frame)));
/** Three calls at once get one token, and a call at its end another one. */
const MINTED = { together: ["Hi", "Hi", "Hi"], first: 1, later: "Hi", minted: 2 };

const EXPECTED = {
  amazon: {
    signatures: SIGNATURES.map(({ authorization }) => authorization),
    frames: [FRAMES, FRAMES, FRAMES],
    whole: SAID,
    streamed: { text: SAID },
    exception: { text: TEXT.text![0], error: "Too many tokens" },
    damaged: "The stream from aws-bedrock broke off before the answer was finished",
  },
  google: MINTED,
  entra: MINTED,
};

for (const { runtime, answer } of ON_RUNTIMES) {
  Deno.test({
    name: `requests are signed, tokens minted and Amazon's frames read on ${runtime}`,
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      assertEquals(await answer("tests/runtimes/clouds_program.ts"), EXPECTED);
    },
  });
}
