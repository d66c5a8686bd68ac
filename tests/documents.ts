/**
 * Writes `gateway/doors/documents/documents.ts`, the documents that the gateway serves to programs. The OpenAPI document is made from
 * the list of operations beside it, the doors that serve them, and the schemas with which these check a body; `llms.txt` from the same
 * list and the README.
 *
 *     deno task documents
 *
 * @module
 */
import { toJsonSchema, toJsonSchemaDefs } from "npm:@valibot/to-json-schema@1.8.0";
import * as v from "npm:valibot@1.5.0";
import denoJson from "../deno.json" with { type: "json" };
import { errorShape, findRoute } from "../gateway/doors/find_door.ts";
import { CHANGES } from "../gateway/doors/logs.ts";
import * as answers from "../gateway/doors/documents/answers.ts";
import {
  type Header,
  HEADERS,
  type Operation,
  OPERATIONS,
  TAGS,
} from "../gateway/doors/documents/operations.ts";
import { NEW } from "../gateway/setup/key_options.ts";
import { ELEMENTS } from "../gateway/setup/routes_option.ts";
import { RUN } from "../gateway/doors/run.ts";
import { STEPS } from "../gateway/doors/universal.ts";
import * as messages from "../wires/anthropic_messages/read_call.ts";
import * as chat from "../wires/openai_chat/read_call.ts";
import * as responses from "../wires/openai_responses/read_call.ts";
import { ROOT } from "./bundle.ts";

export const DOCUMENTS_FILE = `${ROOT}/gateway/doors/documents/documents.ts`;

const MODEL = { model: v.pipe(v.string(), v.nonEmpty()) };

/** The bodies of requests for models, by the client's wire. */
const CALLS: Readonly<Record<string, v.GenericSchema>> = {
  openai: v.looseObject({ ...MODEL, ...chat.DOOR.entries, ...chat.BODY.entries }),
  responses: v.looseObject({ ...MODEL, ...responses.DOOR.entries, ...responses.BODY.entries }),
  anthropic: v.looseObject({ ...MODEL, ...messages.DOOR.entries, ...messages.BODY.entries }),
};

/** The bodies of other requests, by the door. */
const BODIES: Readonly<Record<string, v.GenericSchema>> = {
  completions: v.looseObject(MODEL),
  embeddings: v.looseObject({ ...MODEL, input: v.union([v.string(), v.array(v.unknown())]) }),
  rerank: v.looseObject({ ...MODEL, query: v.string(), documents: v.array(v.unknown()) }),
  run: RUN,
  task: RUN,
  universal: STEPS,
  logs: CHANGES,
  stored: v.looseObject({}),
  native: v.unknown(),
};

/** Changes of a key: `null` removes all but its name. */
const CHANGES_OF_KEY = v.strictObject(
  Object.fromEntries(
    Object.entries(NEW.entries).map(([name, entry]) => [
      name,
      v.optional("wrapped" in entry ? v.nullable(entry.wrapped) : entry),
    ]),
  ),
);

/** The bodies of requests about keys and routes, by what the operation does. */
const WRITTEN: Readonly<Record<string, v.GenericSchema>> = {
  createKey: NEW,
  changeKey: CHANGES_OF_KEY,
  rotateKey: v.looseObject({ graceSeconds: v.optional(v.number()) }),
  createRoute: v.looseObject({ name: v.string(), elements: ELEMENTS }),
  renameRoute: v.looseObject({ name: v.string() }),
  createVersion: v.looseObject({ elements: ELEMENTS }),
  deployVersion: v.looseObject({ version_id: v.string() }),
};

/** The schemas that have a name in the document, which has each of them once. */
const NAMED: ReadonlyMap<v.GenericSchema, string> = new Map<v.GenericSchema, string>([
  [NEW.entries.limits.wrapped, "limits"],
  [NEW.entries.budgets.wrapped, "budgets"],
  [ELEMENTS, "elements"],
  ...Object.entries(WRITTEN).map(([id, schema]) => [schema, `${id}_request`] as const),
  ...Object.entries(CALLS).map(([wire, schema]) => [schema, `${wire}_request`] as const),
  ...Object.entries(BODIES).map(([door, schema]) => [schema, `${door}_request`] as const),
  ...Object.entries(answers).flatMap(([name, schema]) =>
    typeof schema === "function" ? [] : [[schema, name.toLowerCase()] as const]
  ),
]);

// deno-lint-ignore no-explicit-any
const DEFINITIONS: any = Object.fromEntries([...NAMED].map(([schema, name]) => [name, schema]));

const SETTINGS = {
  typeMode: "input",
  // What JSON Schema cannot say, e.g. that a number is finite, holds of all JSON.
  errorMode: "ignore",
  overrideRef: ({ referenceId }: { referenceId: string }) => `#/components/schemas/${referenceId}`,
} as const;

function schemaOf(schema: v.GenericSchema): object {
  const settings = { ...SETTINGS, definitions: DEFINITIONS };
  // deno-lint-ignore no-explicit-any
  const { $schema: _, $defs: __, ...written } = toJsonSchema(schema as any, settings);
  return written;
}

const filled = (path: string) => path.replaceAll(/\{(\w+)\}/g, "$1");

const PROVIDERS = new Set(["provider"]);

/** The door of an operation. @throws GatewayError if no door serves it. */
export const routeOf = ({ method, path }: Operation) =>
  findRoute(method.toUpperCase(), filled(path), PROVIDERS);

/** The schema of an operation's errors, by the shape that its door writes. */
export function errorOf({ path }: Operation): v.GenericSchema {
  const shape = errorShape(filled(path), PROVIDERS);
  if (shape === "gateway") return answers.GATEWAY_ERROR;
  if (shape === "rest") return answers.REST_ERROR;
  return shape.name === "anthropic" ? answers.ANTHROPIC_ERROR : answers.OPENAI_ERROR;
}

/** The schema of an operation's body; `undefined` for one without a body. */
export function bodyOf(operation: Operation): v.GenericSchema | undefined {
  if (operation.method === "get" || operation.method === "delete") return undefined;
  const route = routeOf(operation);
  if (Object.hasOwn(WRITTEN, operation.id)) return WRITTEN[operation.id];
  return "client" in route ? CALLS[route.client.name] : BODIES[route.door];
}

const inPath = (path: string) => [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);

const parameterRef = (name: string) => ({ $ref: `#/components/parameters/${name}` });

/** The doors of paths where no model is asked. */
const WITHOUT_CALL = new Set(["model", "models", "stored"]);

/** The headers that an operation reads. */
function headersOf(operation: Operation): string[] {
  if (operation.tag !== "Models" && operation.tag !== "Providers") return [];
  return WITHOUT_CALL.has(routeOf(operation).door) ? ["cf-aig-authorization"] : Object.keys(HEADERS);
}

function parameters(operation: Operation): object[] {
  const inQuery = Object.entries(operation.query ?? {}).map(([name, description]) => (
    { name, in: "query", description, schema: { type: "string" } }
  ));
  return [
    ...inPath(operation.path).map(parameterRef),
    ...inQuery,
    ...headersOf(operation).map(parameterRef),
  ];
}

/** The operations that an answer leads to, and where it has the parameter of their paths that the request did not have. */
function links({ path, leads = {} }: Operation): Record<string, object> {
  const known = inPath(path);
  return Object.fromEntries(
    Object.entries(leads).flatMap(([pointer, ids]) =>
      ids.map((operationId) => {
        const { path: to } = OPERATIONS.find(({ id }) => id === operationId)!;
        const parameters = inPath(to).map((name) => [
          name,
          known.includes(name) ? `$request.path.${name}` : `$response.body#${pointer}`,
        ]);
        return [operationId, { operationId, parameters: Object.fromEntries(parameters) }];
      })
    ),
  );
}

const SECURITY = { gateway: [{ gatewayToken: [] }, {}], admin: [{ adminToken: [] }], none: [] };

function described(operation: Operation): object {
  const { id, summary, tag, answer, status = 200, streams, example } = operation;
  const body = bodyOf(operation);
  const content: Record<string, object> = {};
  for (const [type, schema] of Object.entries(answer)) {
    if (!schema) content[type] = {};
    else if (body && tag === "Models") {
      content[type] = { schema: { anyOf: [schemaOf(schema), schemaOf(answers.EXPLANATION)] } };
    } else content[type] = { schema: schemaOf(schema) };
  }
  if (streams) content["text/event-stream"] = { schema: { type: "string" } };
  const error = { $ref: `#/components/responses/${NAMED.get(errorOf(operation))}` };
  return {
    operationId: id,
    summary,
    tags: [tag],
    security: SECURITY[TAGS[tag].token],
    parameters: parameters(operation),
    ...(body && {
      requestBody: {
        required: true,
        content: { "application/json": { schema: schemaOf(body), ...(example && { example }) } },
      },
    }),
    responses: {
      [status]: {
        description: "The answer",
        content,
        ...(operation.leads && { links: links(operation) }),
      },
      "4XX": error,
      "5XX": error,
    },
  };
}

function headerSchema(is: Header["is"]): object {
  if (is === "text") return { type: "string" };
  if (is === "switch") return { type: "string", enum: ["true", "false"] };
  return { type: "integer", minimum: is.least, maximum: is.most };
}

/** The whole document. */
export function openapi(): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of OPERATIONS) {
    (paths[operation.path] ??= {})[operation.method] = described(operation);
  }
  const headers = Object.entries(HEADERS).map(([name, { does, is }]) => [
    name,
    { name, in: "header", description: does, schema: headerSchema(is) },
  ]);
  const places = OPERATIONS.flatMap(({ path }) => inPath(path)).map((name) => [
    name,
    { name, in: "path", required: true, schema: { type: "string", minLength: 1 } },
  ]);
  const errors = new Set(OPERATIONS.map(errorOf));
  const bearer = (description: string) => ({ type: "http", scheme: "bearer", description });
  return {
    openapi: "3.1.0",
    info: {
      title: "Sluice",
      version: denoJson.version,
      summary: "Every model provider behind the APIs that clients already speak",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    tags: Object.entries(TAGS).map(([name, { about }]) => ({ name, description: about })),
    paths,
    components: {
      parameters: Object.fromEntries([...places, ...headers]),
      responses: Object.fromEntries([...errors].map((schema) => [
        NAMED.get(schema),
        {
          description: "The request is refused, or the gateway or the provider failed",
          content: { "application/json": { schema: schemaOf(schema) } },
        },
      ])),
      schemas: toJsonSchemaDefs(DEFINITIONS, SETTINGS),
      securitySchemes: {
        gatewayToken: bearer("A gateway token, or a provider's key"),
        adminToken: bearer("The operator's token"),
      },
    },
  };
}

/** The table of clients in the README. `SLUICE` in it stands for the gateway's address. */
async function clients(): Promise<string> {
  const readme = await Deno.readTextFile(`${ROOT}/README.md`);
  const table = /\n\| client \|.*\n(?:\|.*\n)+/.exec(readme)?.[0];
  if (!table) throw new Error("README.md has no table of clients");
  return table.trim().replaceAll(/ ?\(?\[[^\]]*\]\([^)]*\.md\)\)?/g, "");
}

/**
 * What a language model must know to use the gateway.
 *
 * @see https://llmstxt.org
 */
export async function llms(): Promise<string> {
  const operations = OPERATIONS.map(({ method, path, summary }) =>
    `- \`${method.toUpperCase()} ${path}\`: ${summary}`
  );
  const headers = Object.entries(HEADERS).map(([name, { does }]) => `- \`${name}\`: ${does}`);
  return `# Sluice

> An AI gateway at SLUICE: every model provider behind the APIs of OpenAI (chat completions, Responses, embeddings) and Anthropic
> (Messages). A model is written \`{provider}/{model}\`, and \`demo/echo\` needs no key.

A request brings its provider's key as \`authorization: Bearer KEY\`, or a token of the gateway in the same place; then the gateway adds
the provider's key. Fields that a model does not take are left out and named in the header \`sluice-dropped\`.

    curl SLUICE/v1/chat/completions \\
      -H 'content-type: application/json' \\
      -d '{"model": "demo/echo", "messages": [{"role": "user", "content": "Hello"}]}'

- [OpenAPI document](SLUICE/openapi.json): each path with the schemas of bodies and answers
- [Models](SLUICE/v1/models): the models that a caller may use

## Clients

${await clients()}

## Headers

${headers.join("\n")}

## Paths

${operations.join("\n")}
`;
}

const quoted = (text: string) => `\`${text.replaceAll(/[\\`]|\$\{/g, "\\$&")}\``;

/** The module that holds them. */
export const documentsModule = async () =>
  `// deno-fmt-ignore-file
/** Documents for programs. Made by \`deno task documents\` from the files beside it; not to be edited. */

/** The OpenAPI document. */
export const OPENAPI: string = ${quoted(JSON.stringify(openapi()))};

/** \`llms.txt\`. \`SLUICE\` in it stands for the gateway's address. */
export const LLMS: string = ${quoted(await llms())};
`;

if (import.meta.main) {
  const text = await documentsModule();
  await Deno.writeTextFile(DOCUMENTS_FILE, text);
  console.log(`${DOCUMENTS_FILE.slice(ROOT.length + 1)}: ${text.length} bytes`);
}
