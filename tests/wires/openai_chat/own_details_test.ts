/** What Sluice puts among `reasoning_details` goes to no router: it passes them on to the maker of the model. */
import { assertEquals } from "@std/assert";
import { seal } from "../../../wires/shared/envelope.ts";
import { before, completion, post } from "../../fakes.ts";

const CLAUDE = "anthropic-claude-v1";
const encrypted = (data: string, index: number, more: object = {}) => ({
  type: "reasoning.encrypted",
  data,
  format: CLAUDE,
  index,
  ...more,
});
const text = (text: string, signature: string, index: number, more: object = {}) => ({
  type: "reasoning.text",
  text,
  signature,
  format: CLAUDE,
  index,
  ...more,
});

/** Sends an earlier answer with these entries to a model. Returns the entries that arrive, and what is named. */
async function sentFor(model: string, details: unknown, length = 1) {
  const { fetch, sent } = before(() => completion());
  const messages = [
    { role: "user", content: "x".repeat(length) },
    { role: "assistant", content: "Hello", reasoning_details: details },
    { role: "user", content: "And now?" },
  ];
  const response = await fetch(
    post("http://gateway.test/v1/chat/completions", JSON.stringify({ model, messages })),
  );
  await response.body?.cancel();
  const { messages: [, message] } = JSON.parse(sent[0].body);
  return { details: message.reasoning_details, dropped: response.headers.get("sluice-dropped") };
}

const ROUTERS = ["openrouter/anthropic/claude-opus-5.5", "vercel/anthropic/claude-opus-5.5"];

Deno.test("routers get the proofs of a conversation that began at Claude, and no entry of the gateway's own", async () => {
  const path = "messages[1].reasoning_details";
  const repeated = { text: "Hm", signature: "c2lnMw==", format: CLAUDE };
  const cases: [name: string, detail: unknown, sent: unknown[], named: boolean][] = [
    ["a signed text", text("Hm", "c2ln", 1), [text("Hm", "c2ln", 1)], false],
    ["a text behind others", text("Hm", "c2ln", 1, { id: "slc1.after.1" }), [text("Hm", "c2ln", 1)], false],
    ["a text with an id", text("Hm", "c2ln", 1, { id: "x" }), [text("Hm", "c2ln", 1, { id: "x" })], false],
    ["a sealed thought", encrypted("c2VhbGVk", 1), [encrypted("c2VhbGVk", 1)], false],
    ["a separator", encrypted("{}", 1), [], false],
    ["a repeated text without a proof", encrypted(seal({ text: "Hm" }, { withText: true, nonce: 1 }), 1), [
      { type: "reasoning.text", text: "Hm", format: CLAUDE, index: 1 },
    ], false],
    ["a layout", encrypted('{"layout":"bxu","nonce":"a"}', 1), [], false],
    ["a block", encrypted('{"type":"server_tool_use","id":"s"}', 1), [], true],
    [
      "a repeated text",
      encrypted(seal(repeated, { withText: true, nonce: 1 }), 1),
      [text("Hm", "c2lnMw==", 1)],
      false,
    ],
    [
      "a repeated signature without text",
      encrypted(seal({ signature: "c2ln", format: CLAUDE }, { nonce: 1 }), 1),
      [text("", "c2ln", 1)],
      false,
    ],
    [
      "a repeated sealed thought",
      encrypted(seal({ redacted: "c2VhbGVk", id: "rs_1", format: CLAUDE }, { nonce: 1 }), 1),
      [encrypted("c2VhbGVk", 1, { id: "rs_1" })],
      false,
    ],
    [
      "a repeated block",
      encrypted(seal({ redacted: '{"type":"fallback"}', format: CLAUDE }, { nonce: 1 }), 1),
      [],
      true,
    ],
    ["a damaged envelope", encrypted("slc1.text.!", 1), [], true],
    ["an unknown entry", null, [null], false],
  ];
  for (const model of ROUTERS) {
    for (const length of [1, 300_000]) {
      for (const [name, detail, sent, named] of cases) {
        const first = text("First", "Zmlyc3Q=", 0);
        const got = await sentFor(model, [first, detail], length);
        assertEquals(got, { details: [first, ...sent], dropped: named ? `${path}[1]` : null }, name);
      }
    }
    // A stream that thinks on behind its content tells all thoughts once more.
    const twice = [
      text("a", "c2ln", 0),
      encrypted('{"again":true}', 1),
      text("a", "c2ln", 2),
      encrypted("{}", 3),
      text("b", "c2lnMg==", 4, { id: "slc1.after.2" }),
    ];
    const once = [text("a", "c2ln", 0), text("b", "c2lnMg==", 4)];
    assertEquals(await sentFor(model, twice), { details: once, dropped: null });
    for (const odd of ["{}", 7, { data: "{}" }]) {
      assertEquals(await sentFor(model, odd), { details: odd, dropped: null });
    }
  }
});

Deno.test("a row that is no router gets reasoning_details as the client sent them", async () => {
  const details = [encrypted("{}", 0), text("Hm", "c2ln", 1, { id: "slc1.after.1" })];
  assertEquals(await sentFor("deepseek/deepseek-chat", details), { details, dropped: null });
});
