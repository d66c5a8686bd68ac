/** The documents for programs: the OpenAPI document and `llms.txt`. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Validator } from "npm:@seriousme/openapi-schema-validator@2.11.0";
import { Ajv2020 } from "npm:ajv@8.20.0/dist/2020.js";
import { createGateway } from "../../../mod.ts";
import { OPENAPI } from "../../../gateway/doors/documents/documents.ts";
import { type Operation, OPERATIONS, TAGS } from "../../../gateway/doors/documents/operations.ts";
import { allowedMethods } from "../../../gateway/doors/find_door.ts";
import { DOORS } from "../../../gateway/doors/table.ts";
import { bodyOf, DOCUMENTS_FILE, documentsModule, errorOf, routeOf } from "../../documents.ts";

const ADMIN = "the-operators-token";
const ID = "00000000-0000-7000-8000-000000000000";

const makeGateway = () =>
  createGateway({
    adminToken: ADMIN,
    tokens: ["secret"],
    logs: { bodies: "all" },
    responses: { store: true },
  });
const gateway = makeGateway();
const document = JSON.parse(OPENAPI);

const pathOf = ({ path }: Operation, ids: Readonly<Record<string, string>> = {}) =>
  path.replaceAll(/\{(\w+)\}/g, (place, name) => ids[name] ?? place)
    .replaceAll("{gateway_id}", "default").replaceAll("{model}", "demo/echo").replaceAll("{id}", ID)
    .replaceAll(/\{(\w+)\}/g, "$1");

function send(
  operation: Operation,
  body: unknown,
  token = "",
  ids: Readonly<Record<string, string>> = {},
  asked = gateway,
): Promise<Response> {
  const own = { admin: ADMIN, gateway: "secret", none: "" }[TAGS[operation.tag].token];
  const { method } = operation;
  return asked.fetch(
    new Request(`http://localhost${pathOf(operation, ids)}`, {
      method: method.toUpperCase(),
      headers: { "content-type": "application/json", authorization: `Bearer ${token || own}` },
      body: method === "get" || method === "delete" ? undefined : JSON.stringify(body),
    }),
  );
}

const ajv = new Ajv2020({ strict: false });
ajv.addSchema(document, "document");

/** Whether a value fits a schema of the document, with the reason if it does not. */
function assertFits(value: unknown, pointer: string, told: string): void {
  const validate = ajv.getSchema(`document${pointer}`);
  assert(validate, `${told}: the document has nothing at ${pointer}`);
  assert(validate(value), `${told}: ${ajv.errorsText(validate.errors)}`);
}

const inPointer = (text: string) =>
  text.replaceAll("~", "~0").replaceAll("/", "~1").replaceAll("{", "%7B").replaceAll("}", "%7D");

Deno.test("documents: the module is in step with the doors and the README", async () => {
  assertEquals(await Deno.readTextFile(DOCUMENTS_FILE), await documentsModule(), "run `deno task documents`");
});

Deno.test("documents: the OpenAPI document is valid", async () => {
  const result = await new Validator().validate(structuredClone(document));
  assertEquals(result.errors, undefined);
  assert(result.valid);
});

Deno.test("documents: each operation has a door, and each method of its path an operation", () => {
  for (const operation of OPERATIONS) {
    const { door } = routeOf(operation);
    assert(door !== "unsupported", operation.path);
    // These take any method.
    if (door === "native" || door === "stored") continue;
    const written = OPERATIONS.filter(({ path }) => path === operation.path).map(({ method }) =>
      method.toUpperCase()
    );
    const taken = allowedMethods(pathOf(operation)).filter((method) => method !== "HEAD");
    assertEquals(written.sort(), [...taken].sort(), operation.path);
  }
});

Deno.test("documents: each door has an operation", () => {
  const kindOf = (door: { door: string; client?: { name: string } }) =>
    `${door.door} ${door.client?.name ?? ""}`;
  const told = new Set(OPERATIONS.map((operation) => kindOf(routeOf(operation))));
  const missing = DOORS.map(kindOf).filter((kind) => !told.has(kind));
  assertEquals([...new Set(missing)], ["unsupported "]);
});

Deno.test("documents: each example is answered as the document says", async () => {
  let tried = 0;
  for (const operation of OPERATIONS) {
    const { path, method, answer, status = 200, example } = operation;
    if (
      !answer["application/json"] || path.includes("{id}") || routeOf(operation).door === "stored" ||
      bodyOf(operation) && !example
    ) continue;
    const response = await send(operation, example);
    const value = await response.json();
    assertEquals(response.status, status, `${path}: ${JSON.stringify(value)}`);
    const pointer = `#/paths/${
      inPointer(path)
    }/${method}/responses/${status}/content/application~1json/schema`;
    assertFits(value, pointer, `${method} ${path}`);
    tried++;
  }
  assert(tried > 15, `${tried} were tried`);
});

Deno.test("documents: each example that may be streamed is", async () => {
  for (const operation of OPERATIONS) {
    const { example, streams, path } = operation;
    if (!streams || !example) continue;
    const asked = structuredClone(example) as {
      stream?: boolean;
      input?: object;
      0?: { query: { stream?: boolean } };
    };
    if (Array.isArray(asked)) asked[0]!.query.stream = true;
    else if (path.endsWith("/run")) Object.assign(asked.input!, { stream: true });
    else asked.stream = true;
    const response = await send(operation, asked);
    assertEquals(response.headers.get("content-type")?.split(";")[0], "text/event-stream", path);
    assertStringIncludes(await response.text(), '"Hell', path);
  }
});

/** What a runtime expression of a link stands for. */
function valueOf(expression: string, request: Readonly<Record<string, string>>, answer: unknown): string {
  const [, inPath, pointer] = /^\$request\.path\.(\w+)$|^\$response\.body#(\/.+)$/.exec(expression)!;
  if (inPath) return request[inPath];
  const steps = pointer.slice(1).split("/");
  return steps.reduce((value, step) => (value as Record<string, unknown>)[step], answer) as string;
}

Deno.test("documents: an id in an answer opens the operations that the answer links to", async () => {
  const own = makeGateway();
  const followed = new Set<string>();
  /** Asks an operation, and what its answer links to. What removes the thing comes last. */
  async function follow(operation: Operation, ids: Readonly<Record<string, string>>): Promise<void> {
    const { id, path, method, status = 200, example } = operation;
    const needed = id === "createConversation" ? {} : example;
    const response = await send(operation, needed, "", ids, own);
    assertEquals(response.status, status, `${id}: ${await response.clone().text()}`);
    const answer = response.headers.get("content-type")?.startsWith("application/json")
      ? await response.json()
      : undefined;
    const { links = {} } = document.paths[path][method].responses[status];
    const targets = (Object.values(links) as { operationId: string; parameters: Record<string, string> }[])
      .map((link) => ({ ...link, to: OPERATIONS.find((one) => one.id === link.operationId)! }))
      .filter(({ to }) => to.method === "get" || to.method === "delete" || to.example)
      .sort((one, other) => +(one.to.method === "delete") - +(other.to.method === "delete"));
    for (const { to, parameters } of targets) {
      followed.add(to.id);
      const found = Object.entries(parameters).map(([name, is]) => [name, valueOf(is, ids, answer)]);
      await follow(to, Object.fromEntries(found));
    }
  }
  const ids = { account_id: "-", gateway_id: "default" };
  const makers = OPERATIONS.filter(({ leads, path }) => leads && !path.includes("{id}"));
  for (const operation of makers) await follow(operation, ids);
  assert(followed.size > 15, [...followed].join());
});

Deno.test("documents: a change of a key may hold null, and a new key may not", () => {
  const fits = (name: string, value: unknown) =>
    ajv.getSchema(`document#/components/schemas/${name}_request`)!(value);
  assert(fits("changeKey", { limits: null, budgets: null, team: null, expires: null }));
  assert(!fits("changeKey", { name: null }));
  assert(!fits("changeKey", { limits: { rpm: 0 } }));
  assert(fits("createKey", { name: "app", limits: { rpm: 1 } }));
  assert(!fits("createKey", { name: "app", limits: null }));
  assert(!fits("createKey", {}));
});

Deno.test("documents: each refusal has the shape that the document says", async () => {
  for (const operation of OPERATIONS) {
    const { path, method, tag } = operation;
    if (tag === "Service") continue;
    const refused = await send(operation, bodyOf(operation) ? { model: 7 } : undefined, "a-wrong-token");
    assertEquals(refused.status, 401, `${method} ${path}`);
    const { $ref } = document.paths[path][method].responses["4XX"];
    assertFits(await refused.json(), `${$ref}/content/application~1json/schema`, `${method} ${path}`);
    assert(errorOf(operation));
  }
});

Deno.test("documents: /openapi.json and /llms.txt need no token", async () => {
  const openapi = await gateway.fetch(new Request("http://localhost/openapi.json"));
  assertEquals(openapi.headers.get("content-type"), "application/json");
  assertEquals((await openapi.json()).openapi, "3.1.0");
  const llms = await gateway.fetch(new Request("http://gateway.example/llms.txt"));
  const text = await llms.text();
  assertStringIncludes(text, "curl http://gateway.example/v1/chat/completions");
  assertStringIncludes(text, "| Claude Code | `http://gateway.example` as `ANTHROPIC_BASE_URL` |");
  assert(!/\bSLUICE\b|\]\(docs\//.test(text), "its links work");
});
