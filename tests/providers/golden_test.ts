/** Compares the provider table with a list that was written from the providers' own documentation. */
import { assert, assertEquals } from "@std/assert";
import { chatOf } from "./chat_of.ts";
import { PROVIDERS } from "../../providers/table.ts";
import type { Provider, Spoken } from "../../providers/types.ts";
import { before, completion, messages, post } from "../fakes.ts";

const FIXTURE = new URL("../fixtures/providers.txt", import.meta.url);

/** Lines of the fixture, by the row's name. */
async function readFixture(): Promise<Map<string, string>> {
  const lines = (await Deno.readTextFile(FIXTURE)).split("\n").filter((line) =>
    line && !line.startsWith("#")
  );
  return new Map(lines.map((line) => [line.split(" | ", 1)[0], line]));
}

/** Columns whose names are in the last cell of a line if the row has them. Their effects are tested elsewhere. */
const OTHERS = ["conform", "models", "native", "ownModels", "version"];

const LONG_ID = `call_${"x".repeat(60)}`;

const list = (values: readonly string[] = []) => values.join(" ") || "-";

const pairs = (object: Readonly<Record<string, string | undefined>> = {}) =>
  list(Object.entries(object).map(([from, to]) => `${from}>${to}`));

const dropOf = ({ drop, below }: Spoken) =>
  (drop ? `(without ${drop.join(" ")})` : "") + (below ? `(and ${below.join(" ")})` : "");

/** Kinds of tools: Anthropic's, those of OpenAI's own agents, and those that others speak of too. */
const KINDS = [
  ...["bash_20250124", "web_search_20250305"],
  ...["apply_patch", "custom", "local_shell", "namespace", "shell", "tool_search"],
  ...["browser_search", "code_interpreter", "function", "mcp", "web_search"],
];

const toolsOf = ({ tools }: Spoken) =>
  tools ? `(of tools ${KINDS.filter((kind) => tools.test(kind)).join(" ")})` : "";

const takesOf = (takes: object | undefined) =>
  takes ? [`takes(${Object.entries(takes).map(([name, value]) => `${name}=${value}`).join(" ")})`] : [];

function lineOf(provider: Provider): string {
  const { baseUrl, auth, headers = {}, wires: [{ wire }, ...others] } = provider;
  const chat = chatOf(provider);
  const { conform, messages: rules = {} } = chat ?? {};
  const { members = {}, roles, texts } = rules;
  return [
    provider.name,
    list(provider.aliases),
    [
      wire.name,
      ...others.map((other) =>
        `${other.wire.name}@${other.baseUrl ?? baseUrl}${other.path}${dropOf(other)}${toolsOf(other)}`
      ),
    ].join(" "),
    provider.chat === false ? `own paths: ${baseUrl}` : chat ? baseUrl + chat.path : baseUrl,
    provider.modelsPath ?? "-",
    `${auth.header}: ${auth.prefix}KEY`,
    Object.entries(headers).map(([name, value]) => `${name}: ${value}`).join(", ") || "-",
    list(chat?.drop),
    pairs(chat?.rename),
    pairs(roles),
    list(Object.entries(members).map(([role, names]) => `${role}(${names.join(" ")})`)),
    texts ? "texts" : "-",
    chat?.toolId?.(LONG_ID) ?? "-",
    list(provider.keyEnv),
    list([
      ...OTHERS.filter((column) =>
        ({ ...provider, ...chat } as Record<string, unknown>)[column] !== undefined
      )
        .map((column) =>
          column === "conform" && conform instanceof RegExp ? `conform(${conform.source})` : column
        ),
      ...takesOf(chat?.takes),
    ]),
  ].join(" | ");
}

Deno.test("every row of the table is as its line in the fixture, and no line is without its row", async () => {
  const lines = await readFixture();
  for (const provider of PROVIDERS.values()) {
    assertEquals(lineOf(provider), lines.get(provider.name), provider.name);
  }
  assertEquals([...PROVIDERS.keys()], [...lines.keys()]);
});

Deno.test("every row sends a chat request to the URL of its line, without the fields that its line drops", async () => {
  for (const line of (await readFixture()).values()) {
    const [name, , wire, url, , auth, , drop, rename] = line.split(" | ");
    if (wire.split(" ")[0] !== "openai" || url.startsWith("own paths") || name === "demo") continue;
    const { fetch, sent } = before(() => completion(), { account: "acct" });
    const dropped = drop === "-" ? [] : drop.split(" ");
    const renamed = rename === "-" ? [] : rename.split(" ").map((pair) => pair.split(">"));
    // Azure's models name their resource.
    const place = url.includes("{resource}") ? "res/" : "";
    const body: Record<string, unknown> = { model: `${name}/${place}m`, messages };
    for (const field of dropped) body[field] = 1;
    for (const [from] of renamed) body[from] = 7;
    const response = await fetch(
      post("http://gateway.test/v1/chat/completions", body, { authorization: "Bearer KEY" }),
    );
    assertEquals(response.status, 200, name);
    assertEquals(sent[0].url, url.replace("{account}", "acct").replace("{resource}", "res"), name);
    const [header, value] = auth.split(": ");
    assertEquals(sent[0].headers.get(header), value, name);
    const named = (response.headers.get("sluice-dropped") ?? "").split(", ").filter(Boolean);
    assertEquals(named, dropped, name);
    const expected = { model: "m", messages, ...Object.fromEntries(renamed.map(([, to]) => [to, 7])) };
    assertEquals(JSON.parse(sent[0].body), expected, name);
  }
});

Deno.test("every row of a provider that refuses long ids of tool calls shortens them", async () => {
  const { fetch, sent } = before(() => completion());
  const calls = [{ id: LONG_ID, type: "function", function: { name: "f", arguments: "{}" } }];
  const conversation = [
    ...messages,
    { role: "assistant", content: null, tool_calls: calls },
    { role: "tool", tool_call_id: LONG_ID, content: "x" },
  ];
  const lengths: Record<string, number> = { openai: 40, openrouter: 40, github: 40, mistral: 9 };
  for (const [name, most] of Object.entries(lengths)) {
    await fetch(
      post("http://gateway.test/v1/chat/completions", { model: `${name}/m`, messages: conversation }),
    );
    const { messages: [, assistant, tool] } = JSON.parse(sent.at(-1)!.body);
    assert(tool.tool_call_id.length <= most, name);
    assertEquals(assistant.tool_calls[0].id, tool.tool_call_id, name);
  }
});
