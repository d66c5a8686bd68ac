/**
 * Sends the gateway requests that schemathesis makes from its OpenAPI document, and holds the answers against the document. Needs
 * Python 3; schemathesis comes from PyPI.
 *
 *     deno task test:api
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
  // A model of a real provider is not reached from here.
  fetch: () =>
    Promise.resolve(Response.json({ error: { message: "There is no such model" } }, { status: 404 })),
});
const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, gateway.fetch);
let code = 1;
try {
  const python = `${folder}/bin/python`;
  if (await run("python3", ["-m", "venv", folder]) !== 0) {
    throw new Error("Cannot make an environment of Python");
  }
  if (await run(python, ["-m", "pip", "install", "--quiet", SCHEMATHESIS]) !== 0) {
    throw new Error("Cannot install schemathesis");
  }
  const url = `http://127.0.0.1:${server.addr.port}/openapi.json`;
  for (
    const [tags, token] of [[["Models", "Holder"], "a-gateway-token"], [
      ["Operator", "Logs"],
      "the-operators-token",
    ]]
  ) {
    const args = [
      "run",
      url,
      "--seed=1",
      "--phases=examples,coverage",
      "--max-examples=20",
      `--checks=${CHECKS.join(",")}`,
    ];
    for (const tag of tags) args.push(`--include-tag=${tag}`);
    args.push(`--header=authorization: Bearer ${token}`);
    // A timeout of 1 ms is allowed, and its 504 is no fault.
    args.push("--header=cf-aig-request-timeout: 60000");
    code = await run(`${folder}/bin/schemathesis`, args);
    if (code !== 0) break;
  }
} finally {
  await Deno.remove(folder, { recursive: true });
  await server.shutdown();
}
Deno.exit(code);
