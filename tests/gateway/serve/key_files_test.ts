/** Credentials in files that variables of providers' own tools name. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { configured } from "../../../gateway/serve/configured.ts";
import { withKeyFiles } from "../../../gateway/serve/key_files.ts";

const FILE = JSON.stringify(
  { type: "service_account", client_email: "a@b", private_key: "the-private-key" },
  null,
  2,
);

/** Reads these files in this environment. */
async function read(values: Record<string, string>, files: Record<string, string>) {
  const asked: string[] = [];
  const told: string[] = [];
  const env = await withKeyFiles(
    (name) => values[name],
    (path) => {
      asked.push(path);
      return path in files ? Promise.resolve(files[path]) : Promise.reject(new Error("no such file"));
    },
    (warning) => told.push(warning),
  );
  return { env, asked, told };
}

Deno.test("GOOGLE_APPLICATION_CREDENTIALS names a service account's file, and another credential wins over it", async () => {
  const variable = { GOOGLE_APPLICATION_CREDENTIALS: "/key.json" };
  const { env, told } = await read(variable, { "/key.json": `${FILE}\n` });
  assertEquals(env("GOOGLE_APPLICATION_CREDENTIALS_JSON"), FILE);
  assertEquals([env("OTHER"), told], [undefined, []]);
  const { options } = configured(env);
  assertEquals(options.keys, { "google-vertex-ai": FILE });
  for (const own of ["GOOGLE_VERTEX_API_KEY", "GOOGLE_CLIENT_EMAIL", "GOOGLE_APPLICATION_CREDENTIALS_JSON"]) {
    const { asked } = await read({ ...variable, [own]: "x" }, { "/key.json": FILE });
    assertEquals(asked, [], own);
  }
});

Deno.test("GOOGLE_APPLICATION_CREDENTIALS may name the file that gcloud writes for a person", async () => {
  const person = {
    type: "authorized_user",
    client_id: "i",
    client_secret: "s",
    refresh_token: "r",
    account: "",
  };
  const file = JSON.stringify({ ...person, universe_domain: "googleapis.com" });
  const { env, told } = await read({ GOOGLE_APPLICATION_CREDENTIALS: "/adc.json" }, { "/adc.json": file });
  assertEquals([configured(env).options.keys, told], [{ "google-vertex-ai": file }, []] as never);
});

Deno.test("a file that is no service account's is a warning, which holds nothing of it", async () => {
  const cases: [files: Record<string, string>, why: string][] = [
    [{}, 'the file "/key.json" cannot be read: no such file'],
    [{ "/key.json": "hush" }, "holds no key of google-vertex-ai: it is not JSON"],
    [{ "/key.json": '{"type":"authorized_user","refresh_token":"hush"}' }, "it has no client_id"],
    [{ "/key.json": '{"type":"external_account","audience":"hush"}' }, "it has no client_email"],
  ];
  for (const [files, why] of cases) {
    const { env, told } = await read({ GOOGLE_APPLICATION_CREDENTIALS: "/key.json" }, files);
    assertEquals([env("GOOGLE_APPLICATION_CREDENTIALS_JSON"), told.length], [undefined, 1]);
    assertStringIncludes(told[0], "GOOGLE_APPLICATION_CREDENTIALS is not read: ");
    assertStringIncludes(told[0], why);
    assert(!told[0].includes("hush"));
    assertEquals(configured(env, { told }).options.keys, undefined);
    assert(configured(env, { told }).warnings.includes(told[0]));
  }
});
