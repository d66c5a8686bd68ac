/** `sluice keys` of the packed command, before a gateway that it starts. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { startServed } from "../runtimes/gateways.ts";
import { COMMANDS, installPackage, runIn, testPackage } from "./installed.ts";

const ADMIN = "operator-0123456789";

testPackage(
  "sluice keys makes, lists, rotates and revokes keys of a running gateway",
  await installPackage(),
  async (it) => {
    const [program, ...args] = await COMMANDS.node(it);
    await using gateway = await startServed(program, [...args, "--log", "off"], {
      SLUICE_ADMIN_TOKEN: ADMIN,
    });
    const env = { SLUICE_URL: `${gateway.url}/`, SLUICE_ADMIN_TOKEN: ADMIN };
    const keys = async (...flags: string[]) =>
      await runIn(it.folder, program, [...args, "keys", ...flags], env);
    const status = async (secret: string) => {
      const response = await fetch(`${gateway.url}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${secret}` },
        body: JSON.stringify({ model: "demo/echo", messages: [{ role: "user", content: "Hello" }] }),
      });
      await response.text();
      return response.status;
    };

    assertEquals((await keys()).output, "There are no keys yet. Make one with: sluice keys make NAME\n");

    // A script gets the secret alone.
    const make = [
      ...args,
      "keys",
      "make",
      "team-a",
      "--team",
      "growth",
      "--expires",
      "2099-01-31",
      "--models",
      "demo/*, openai/*",
    ];
    const made = await new Deno.Command(program, {
      args: [...make, "--facts", '{"limits":{"rpm":600}}'],
      env,
    }).output();
    const secret = new TextDecoder().decode(made.stdout).trim();
    assertEquals([made.code, /^sl-\S+$/.test(secret)], [0, true], new TextDecoder().decode(made.stderr));
    assertEquals(await status(secret), 200);
    const listed = await keys();
    assertMatch(listed.output, /^k_\w+ {2}team-a {2}team growth {2}until 2099-01-31\S*\n$/);
    assertEquals(listed.output.includes(secret), false);
    assertEquals((await keys("list", "--search", "nobody")).output, 'No key has "nobody" in it\n');

    const rotated = await keys("rotate", "team-a", "--grace", "0");
    const next = rotated.output.match(/^sl-\S+$/m)![0];
    assertEquals([rotated.code, await status(next), await status(secret)], [0, 200, 401]);

    const id = listed.output.split(" ")[0];
    const revoked = await keys("revoke", id);
    assertEquals([revoked.code, await status(next)], [0, 401]);
    assertStringIncludes(revoked.output, id);

    const faults: [flags: string[], code: number, due: RegExp][] = [
      [["revoke", "team-a"], 1, /^There is no key named "team-a"\n$/],
      [["make", ""], 1, /^Cannot save the key: name: .*\n$/],
      [["make", "b", "--facts", "[]"], 2, /^sluice: --facts must be a JSON object\n$/],
      [["rotate", "b", "--grace", "soon"], 2, /^sluice: --grace must be a whole number\n$/],
      [["revok"], 2, /^sluice: there is no command "keys revok"; see sluice keys --help\n$/],
      [["revok", "team-a"], 2, /^sluice: there is no command "keys revok"; see sluice keys --help\n$/],
      [["make"], 2, /^sluice: missing required argument 'name'\n$/],
      [["list", "--admin-token", "wrong-0123456789"], 1, /^[^\n]+\n$/],
      [
        ["list", "--url", "http://127.0.0.1:9"],
        1,
        /^Cannot reach a gateway at http:\/\/127\.0\.0\.1:9: [^\n]+\n$/,
      ],
    ];
    for (const [flags, code, due] of faults) {
      const ended = await keys(...flags);
      assertEquals(ended.code, code, `${flags}: ${ended.output}`);
      assertMatch(ended.output, due);
      assert(!ended.output.includes(ADMIN) && !ended.output.includes("wrong-0123456789"));
    }
  },
);
