/** Clients that leave their conversation to the gateway: the Agents SDK, the AI SDK and OpenAI's SDK. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { createOpenAI } from "npm:@ai-sdk/openai@4.0.118";
import {
  Agent,
  OpenAIConversationsSession,
  OpenAIProvider,
  Runner,
  setTracingDisabled,
  tool,
} from "npm:@openai/agents@0.20.0";
import { generateText, stepCountIs, tool as aiTool } from "npm:ai@7.0.173";
import OpenAI from "npm:openai@7.59.0";
import { z } from "npm:zod@4.6.7";
import { createGateway } from "../../mod.ts";
import { openStore } from "../../gateway/stores/store_url.ts";
import type { JsonObject } from "../../wires/types.ts";
import { type FakeProvider, type Scenario, streamed, TEXT, WITHOUT_RESPONSES } from "../wires/shared.ts";

setTracingDisabled(true);

const TOKEN = "token-of-a-tenant";

const callOf = (id: string): Scenario => ({
  name: "a call",
  calls: [{ id, name: "weather", args: ['{"city":', '"Zürich"}'] }],
  finish: "tool_calls",
  usage: TEXT.usage,
});

/** Two turns, each with a call of a tool. */
const TURNS = [callOf("call_a1"), TEXT, callOf("call_b2"), TEXT];

/** A gateway that keeps responses, before a provider that answers two turns. */
function room(fake: FakeProvider) {
  const sent: JsonObject[] = [];
  const gateway = createGateway({
    responses: { store: true },
    tokens: [{ token: TOKEN, name: "a" }],
    keys: { [fake.provider]: "sk-key" },
    async fetch(url, init) {
      const answer = TURNS[sent.length];
      const body: JsonObject = await new Response(init.body).json();
      sent.push(body);
      const streams = body.stream === true || /stream/i.test(url);
      return streams ? streamed(fake, fake.stream(answer)) : Response.json(fake.whole(answer));
    },
  });
  const fetch = (input: string | URL | Request, init?: RequestInit) =>
    gateway.fetch(new Request(input, init));
  const client = new OpenAI({ apiKey: TOKEN, baseURL: "http://gateway.test/v1", maxRetries: 0, fetch });
  return { sent, fetch, client, model: `${fake.provider}/${fake.model}` };
}

const weather = tool({
  name: "weather",
  description: "The weather of a city",
  parameters: z.object({ city: z.string() }),
  execute: () => "sunny, 7 degrees",
});

const runnerOf = (client: OpenAI) =>
  new Runner({
    modelProvider: new OpenAIProvider({ openAIClient: client as never, useResponses: true }),
    tracingDisabled: true,
  });

/** How often a text is in a request. */
const countIn = (body: JsonObject | undefined, text: string): number =>
  JSON.stringify(body).split(text).length - 1;

for (const fake of WITHOUT_RESPONSES) {
  for (const stream of [false, true]) {
    const how = stream ? "streamed" : "whole";

    Deno.test(`an agent with a session of conversations goes on with ${fake.provider}, ${how}`, async () => {
      const { client, model, sent } = room(fake);
      const session = new OpenAIConversationsSession({ client: client as never });
      const agent = new Agent({ name: "A", instructions: "Be brief", model, tools: [weather] });
      const runner = runnerOf(client);
      for (const said of ["First question", "Second question"]) {
        const result = stream
          ? await runner.run(agent, said, { stream, session })
          : await runner.run(agent, said, { session });
        if ("completed" in result) await result.completed;
        assertEquals(result.finalOutput, TEXT.text!.join(""));
      }
      const last = sent.at(-1);
      for (const text of ["First question", "Second question"]) assertEquals(countIn(last, text), 1, text);
      assertEquals(countIn(last, "sunny, 7 degrees"), 2);
      const items = await session.getItems();
      assertEquals(items.map(({ type }) => `${type}`), [
        ...["message", "function_call", "function_call_result", "message"],
        ...["message", "function_call", "function_call_result", "message"],
      ]);
      const id = (await session.getSessionId())!;
      assertEquals((await session.popItem())?.type, "message");
      assertEquals((await session.getItems(3)).length, 3);
      await session.clearSession();
      await assertRejects(() => client.conversations.retrieve(id), OpenAI.NotFoundError);
    });

    Deno.test(`an agent goes on by previousResponseId and by conversationId with ${fake.provider}, ${how}`, async () => {
      for (const by of ["response", "conversation"]) {
        const { client, model, sent } = room(fake);
        const agent = new Agent({ name: "A", instructions: "Be brief", model, tools: [weather] });
        const runner = runnerOf(client);
        let options: object = by === "response"
          ? {}
          : { conversationId: (await client.conversations.create({})).id };
        for (const said of ["First question", "Second question"]) {
          const result = stream
            ? await runner.run(agent, said, { stream, ...options })
            : await runner.run(agent, said, options);
          if ("completed" in result) await result.completed;
          if (by === "response") options = { previousResponseId: result.lastResponseId };
        }
        const last = sent.at(-1);
        for (const text of ["First question", "Second question"]) assertEquals(countIn(last, text), 1, text);
        assertEquals(countIn(last, "sunny, 7 degrees"), 2);
        assertEquals(countIn(last, "Be brief"), 1);
      }
    });
  }

  Deno.test(`the AI SDK, which names earlier items by their ids, goes on with ${fake.provider}`, async () => {
    const { fetch, model, sent } = room(fake);
    const bodies: string[] = [];
    const openai = createOpenAI({
      apiKey: TOKEN,
      baseURL: "http://gateway.test/v1",
      fetch: (input, init) => {
        bodies.push(`${init?.body}`);
        return fetch(input as string, init);
      },
    });
    const tools = {
      weather: aiTool({ inputSchema: z.object({ city: z.string() }), execute: () => "sunny, 7 degrees" }),
    };
    const first = await generateText({
      model: openai(model),
      prompt: "First question",
      tools,
      stopWhen: stepCountIs(3),
    });
    const messages = [
      { role: "user" as const, content: "First question" },
      ...first.steps.flatMap(({ response }) => response.messages),
      { role: "user" as const, content: "Second question" },
    ];
    const { text } = await generateText({ model: openai(model), messages, tools, stopWhen: stepCountIs(3) });
    assertEquals(text, TEXT.text!.join(""));
    assert(bodies.some((body) => body.includes("item_reference")));
    const last = sent.at(-1);
    for (const said of ["First question", "Second question"]) assertEquals(countIn(last, said), 1, said);
    assertEquals(countIn(last, "sunny, 7 degrees"), 2);
  });
}

Deno.test("the SDK makes, reads, changes and deletes conversations and their items, in memory and in SQLite", async () => {
  for (const store of [undefined, await openStore("sqlite::memory:")]) {
    const { fetch } = createGateway({
      responses: { store: true },
      tokens: [{ token: TOKEN, name: "a" }],
      store,
    });
    const client = new OpenAI({
      apiKey: TOKEN,
      baseURL: "http://gateway.test/v1/acct/gw/compat",
      maxRetries: 0,
      fetch: (input, init) => fetch(new Request(input as string, init as RequestInit)),
    });
    const { conversations, responses } = client;
    const made = await conversations.create({
      metadata: { topic: "a" },
      items: [{ type: "message", role: "user", content: "Zero" }],
    });
    assertEquals([made.object, made.metadata], ["conversation", { topic: "a" }]);
    assertEquals(await conversations.retrieve(made.id), made);
    const changed = await conversations.update(made.id, { metadata: { topic: "b" } });
    assertEquals([changed.metadata, changed.created_at], [{ topic: "b" }, made.created_at]);
    const response = await responses.create({ model: "demo/echo", input: "One", conversation: made.id });
    assertEquals(response.conversation, { id: made.id });
    await responses.create({ model: "demo/echo", input: "Two", conversation: { id: made.id }, store: false });
    const added = await conversations.items.create(made.id, {
      items: [{ role: "user", content: "Three" }, {
        role: "developer",
        content: [{ type: "input_text", text: "Four" }],
      }],
    });
    assertEquals([added.data.length, added.has_more], [2, false]);
    const textsOf = (items: { content?: unknown }[]) =>
      items.map(({ content }) => (content as { text: string }[])[0].text);
    const all = [];
    for await (const item of conversations.items.list(made.id, { order: "asc", limit: 2 })) all.push(item);
    assertEquals(textsOf(all as never), ["Zero", "One", "One", "Two", "Two", "Three", "Four"]);
    const [newest] = (await conversations.items.list(made.id)).data;
    assertEquals(newest, added.data[1]);
    assertEquals(await conversations.items.retrieve(newest.id!, { conversation_id: made.id }), newest);
    const left = await conversations.items.delete(newest.id!, { conversation_id: made.id });
    assertEquals(left, changed);
    await assertRejects(
      () => conversations.items.retrieve(newest.id!, { conversation_id: made.id }),
      OpenAI.NotFoundError,
    );
    const deleted = await conversations.delete(made.id);
    assertEquals(deleted, { id: made.id, object: "conversation.deleted", deleted: true });
    await assertRejects(() => conversations.items.list(made.id), OpenAI.NotFoundError);
    const gone = responses.create({ model: "demo/echo", input: "x", conversation: made.id });
    await assertRejects(() => gone, OpenAI.NotFoundError);
    // The response itself is still there.
    await responses.retrieve(response.id);
    await store?.close?.();
  }
});
