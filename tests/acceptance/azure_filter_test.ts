/** What Azure's filter blocks, and what it adds to answers. */
import { assertEquals, assertRejects } from "@std/assert";
import OpenAI from "npm:openai@7.57.0";
import { recordings } from "../recordings.ts";
import { type Json, lab, readEvents } from "./lab.ts";
import { strictAzure } from "./strict_azure.ts";

const messages = [{ role: "user" as const, content: "Hello" }];

const [BLOCKED] = recordings("azure-openai").filter(({ id }) => id.includes("error-in-200"));

Deno.test("a prompt that Azure's filter blocks under 200 is 400, with its code and innererror", {
  ignore: !BLOCKED,
}, async () => {
  const body = BLOCKED.response.body as Json;
  const room = lab(() => Response.json(body));
  for (const stream of [false, true]) {
    const response = await room.post({ model: "azure/r/d", messages, stream });
    assertEquals([response.status, await response.json()], [400, body]);
  }
  const error = await assertRejects(
    () => room.openai.chat.completions.create({ model: "azure/r/d", messages }),
    OpenAI.BadRequestError,
  );
  assertEquals(error.code, "content_filter");
  assertEquals((error.error as Json).innererror, (body.error as Json).innererror);
  for (const path of ["messages", "responses"]) {
    const asked = { model: "azure/r/d", messages, input: messages, max_tokens: 9 };
    const own = path === "messages" ? { ...asked, input: undefined } : { ...asked, messages: undefined };
    const response = await room.gateway.fetch(
      new Request(`http://gateway.test/v1/${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: "Bearer key" },
        body: JSON.stringify(own),
      }),
    );
    assertEquals(response.status, path === "messages" ? 400 : 200);
    await response.body?.cancel();
  }
});

Deno.test("an answer with a filter's report, or with an error beside its choices, is an answer", async () => {
  const choice = { index: 0, message: { role: "assistant", content: "Hi" }, finish_reason: "stop" };
  for (
    const more of [
      { error: null },
      { choices: [{ ...choice, finish_reason: "content_filter" }] },
      { error: { code: "content_filter", status: 400 } },
    ]
  ) {
    const answer = { id: "x", object: "chat.completion", created: 1, model: "m", choices: [choice], ...more };
    const response = await lab(() => Response.json(answer)).post({ model: "azure/r/d", messages });
    assertEquals([response.status, (await response.json()).choices.length], [200, 1]);
  }
  for (const status of [200, 600, "400", 4.5]) {
    const response = await lab(() => Response.json({ error: { message: "x", code: "y", status } }))
      .post({ model: "azure/r/d", messages });
    assertEquals(response.status, 200);
    await response.body?.cancel();
  }
});

Deno.test("a stream whose prompt is blocked under 200 is 400 too, and a stream's report is kept", async () => {
  const { chunks } = await readEvents(
    await lab(strictAzure("r", { d: "gpt-4o" }, [[{ text: ["Yes"] }]]).play)
      .post({ model: "azure/r/d", messages, stream: true }),
  );
  const late = chunks.map(({ choices }) => (choices as Json[])[0]).find((choice) =>
    choice?.content_filter_results
  );
  assertEquals(late?.delta, {});
});
