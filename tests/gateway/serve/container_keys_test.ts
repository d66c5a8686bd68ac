/** Amazon's keys of the container that the gateway is served in. */
import { assert, assertEquals } from "@std/assert";
import { configured } from "../../../gateway/serve/configured.ts";
import { containerKeys } from "../../../gateway/serve/container_keys.ts";
import { findProvider } from "../../../providers/table.ts";

const BEDROCK = findProvider("aws-bedrock")!;
const KEYS = {
  RoleArn: "arn:aws:iam::000000000000:role/x",
  AccessKeyId: "ASIACONTAINER",
  SecretAccessKey: "secret/of+the+container",
  Token: "session",
  Expiration: "2026-11-24T06:00:00Z",
};
const PAIR = {
  accessKeyId: KEYS.AccessKeyId,
  secretAccessKey: KEYS.SecretAccessKey,
  sessionToken: "session",
  expiration: new Date(KEYS.Expiration),
};

/** The function of these variables, and what it asked. */
function of(variables: Record<string, string>, answer: () => Response = () => Response.json(KEYS)) {
  const asked: { url: string; headers: Headers; redirect?: string }[] = [];
  const told: string[] = [];
  const opened: string[] = [];
  const make = containerKeys(
    BEDROCK,
    (name) => variables[name],
    (path) => {
      opened.push(path);
      return Promise.resolve(new Blob([`token ${opened.length}\n`.replace(" ", "-")]).stream());
    },
    (url, init) => {
      asked.push({ url, headers: new Headers(init.headers), redirect: init.redirect });
      return Promise.resolve(answer());
    },
    (message) => told.push(message),
  );
  return { make, asked, told, opened };
}

const FULL = "AWS_CONTAINER_CREDENTIALS_FULL_URI", RELATIVE = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
const EKS = "http://169.254.170.23/v1/credentials";

Deno.test("containerKeys() asks ECS by the relative path, and EKS with the token of its file, read anew each time", async () => {
  const ecs = of({ [RELATIVE]: "/v2/credentials/x" });
  assertEquals(await ecs.make!(), PAIR);
  assertEquals([ecs.asked[0].url, ecs.asked[0].headers.get("authorization")], [
    "http://169.254.170.2/v2/credentials/x",
    null,
  ]);
  const eks = of({
    [FULL]: EKS,
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: "/token",
    AWS_CONTAINER_AUTHORIZATION_TOKEN: "not-this",
  });
  await eks.make!();
  await eks.make!();
  assertEquals(eks.asked.map(({ headers }) => headers.get("authorization")), ["token-1", "token-2"]);
  assertEquals([eks.opened, eks.asked[0].redirect], [["/token", "/token"], "manual"]);
  const own = of({ [FULL]: "http://127.0.0.1:1338/x", AWS_CONTAINER_AUTHORIZATION_TOKEN: "t" });
  await own.make!();
  assertEquals(own.asked[0].headers.get("authorization"), "t");
});

Deno.test("containerKeys() asks no other host without TLS, and warns with the variable's name alone", () => {
  const near = [
    "http://localhost:1/x",
    "http://[::1]/x",
    "http://127.9.9.9/x",
    "https://keys.example/x",
    EKS,
  ];
  for (const url of [...near, "http://[fd00:ec2::23]/x"]) {
    const { make, told } = of({ [FULL]: url });
    assert(make && told.length === 0, url);
  }
  const far = [
    "http://keys.example/x",
    "http://169.254.169.254/x",
    "http://127.0.0.1.evil.test/x",
    "ftp://127.0.0.1/x",
    "x",
  ];
  for (const variables of [...far.map((url) => ({ [FULL]: url })), { [RELATIVE]: ".evil.test/x" }]) {
    const { make, told } = of(variables);
    assertEquals([make, told.length], [undefined, 1], JSON.stringify(variables));
    assert(told[0].startsWith(Object.keys(variables)[0]) && !told[0].includes("evil"), told[0]);
  }
  assertEquals(of({}).make, undefined);
});

Deno.test("containerKeys() tells of an answer that holds no keys, and nothing of what it holds", async () => {
  const answers = [
    () => Response.json({ AccessKeyId: "ASIASECRET" }),
    () => Response.json({ ...KEYS, AccessKeyId: "ASIASECRET" }, { status: 500 }),
    () => new Response("ASIASECRET"),
    () => {
      throw new TypeError("ASIASECRET");
    },
  ];
  for (const answer of answers) {
    const { make } = of({ [FULL]: EKS }, answer);
    const error = await Promise.resolve(make!()).then(() => undefined, (error: Error) => error);
    assert(error!.message.includes("container's credentials did not come"), error!.message);
    assert(!error!.message.includes("ASIASECRET"));
  }
  const odd = of({ [FULL]: EKS, AWS_CONTAINER_AUTHORIZATION_TOKEN: "a\r\nx-evil: 1" });
  const error = await Promise.resolve(odd.make!()).then(() => undefined, (error: Error) => error);
  assert(error!.message.includes("a token of one line") && odd.asked.length === 0);
});

Deno.test("configured() uses a container's keys where files can be opened and no other keys are set, and makes no token for them", () => {
  const open = () => Promise.reject(new Error("none"));
  const keysOf = (variables: Record<string, string>, opens = true) => {
    const { options, madeToken } = configured(
      (name) => ({ SLUICE_LOG: "off", [RELATIVE]: "/x", ...variables })[name],
      { alone: true, ...(opens && { open }) },
    );
    return [typeof (options.keys as Record<string, unknown>)?.["aws-bedrock"], madeToken];
  };
  assertEquals(keysOf({}), ["function", undefined]);
  assertEquals(keysOf({}, false), ["undefined", undefined]);
  assertEquals(keysOf({ AWS_BEARER_TOKEN_BEDROCK: "ABSKkey", SLUICE_TOKENS: "token-one" })[0], "object");
  assertEquals(
    keysOf({ AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b", SLUICE_TOKENS: "token-one" })[0],
    "string",
  );
});
