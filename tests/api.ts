/**
 * Sends the gateway requests that schemathesis makes from its OpenAPI document, and holds the answers against the document. Needs
 * Python 3; schemathesis comes from PyPI. Further arguments are its own, e.g. other phases and another seed.
 *
 *     deno task test:api
 *     deno task test:api --seed=2 --phases=fuzzing,stateful --max-time=60
 *
 * @module
 */
import { createGateway } from "../mod.ts";

const SCHEMATHESIS = "schemathesis==4.32.5";

/** What must hold of each answer. Requests that a schema allows may still name a model that does not exist. */
const CHECKS = [
  "not_a_server_error",
  "status_code_conformance",
  "content_type_conformance",
  "response_schema_conformance",
  "response_headers_conformance",
  "unsupported_method",
  "use_after_free",
  "ensure_resource_availability",
];

const folder = await Deno.makeTempDir();

async function run(command: string, args: string[]): Promise<number> {
  // schemathesis writes what it finds into the folder that it runs in.
  const options = { args, cwd: folder, stdout: "inherit", stderr: "inherit" } as const;
  return (await new Deno.Command(command, options).spawn().status).code;
}

const gateway = createGateway({
  adminToken: "the-operators-token",
  tokens: ["a-gateway-token"],
  logs: true,
  responses: { store: true },
  // A model of a real provider is not reached from here.
  fetch: () =>
    Promise.resolve(Response.json({ error: { message: "There is no such model" } }, { status: 404 })),
});
const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, gateway.fetch);
const GROUPS: readonly [token: string, tags: readonly string[]][] = [
  ["a-gateway-token", ["Models", "Holder"]],
  ["the-operators-token", ["Operator", "Logs", "Service"]],
];

/** Tests the operations that a token opens. @returns The status with which schemathesis ends. */
function tested(token: string, tags: readonly string[]): Promise<number> {
  return run(`${folder}/bin/schemathesis`, [
    "run",
    `http://127.0.0.1:${server.addr.port}/openapi.json`,
    `--checks=${CHECKS.join(",")}`,
    `--header=authorization: Bearer ${token}`,
    // A timeout of 1 ms is allowed, and its 504 is no fault.
    "--header=cf-aig-request-timeout: 60000",
    ...tags.map((tag) => `--include-tag=${tag}`),
    // Of two equal flags the last one counts.
    ...["--seed=1", "--phases=examples,coverage", "--max-examples=20", ...Deno.args],
  ]);
}

let code = 1;
try {
  if (await run("python3", ["-m", "venv", folder]) !== 0) {
    throw new Error("Cannot make an environment of Python");
  }
  if (await run(`${folder}/bin/python`, ["-m", "pip", "install", "--quiet", SCHEMATHESIS]) !== 0) {
    throw new Error("Cannot install schemathesis");
  }
  code = 0;
  for (const [token, tags] of GROUPS) code = await tested(token, tags) || code;
} finally {
  await Deno.remove(folder, { recursive: true });
  await server.shutdown();
}
Deno.exit(code);
