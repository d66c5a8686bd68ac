/** The gateway's lists of words, entry by entry. These lists are written from the documents, not copied from the source. */
import { assertEquals, assertThrows } from "@std/assert";
import { createGateway } from "../../mod.ts";
import type { Options } from "../../gateway/setup/options.ts";
import { ask, before, message, messages, post, ROOT } from "../fakes.ts";

Deno.test("sluice-strict takes each word for yes and for no, in any letter case, and refuses any other word", async () => {
  const words: Record<string, number> = {};
  for (const word of "true 1 yes on True YES On".split(" ")) words[word] = 400;
  for (const word of "false 0 no off False NO Off".split(" ")) words[word] = 200;
  for (const [word, status] of Object.entries(words)) {
    const { fetch } = before(() => message());
    const response = await fetch(ask("anthropic/m", { "sluice-strict": word }, { seed: 7 }));
    const body = await response.json();
    assertEquals(
      [response.status, body.error?.code],
      [status, status === 400 ? "dropped_fields" : undefined],
      word,
    );
  }
  for (const word of ["2", "yesno", "xtrue", "truex", "-1", "null"]) {
    const { fetch, sent } = before(() => message());
    const { error } = await (await fetch(ask("anthropic/m", { "sluice-strict": word }))).json();
    assertEquals([error.code, error.param, sent.length], ["invalid_request", "sluice-strict", 0], word);
  }
});

Deno.test("a step cannot set the headers of the connection, in any case", async () => {
  const names = "connection content-length host te transfer-encoding upgrade Host TE Content-Length".split(
    " ",
  );
  for (const name of names) {
    const { fetch, sent } = before(() => message());
    const step = {
      provider: "openai",
      endpoint: "chat/completions",
      headers: { [name]: "1" },
      query: { messages },
    };
    const response = await fetch(post(ROOT, [step]));
    const { param } = await response.json();
    assertEquals([response.status, param, sent.length], [400, `[0].headers.${name}`, 0]);
  }
});

Deno.test("createGateway() says in words what kind of value an option must be", () => {
  const options: [unknown, string][] = [
    [{ origins: 5 }, "origins: it must be a list"],
    [{ log: 5 }, "log: it must be a function"],
    [{ retries: 5 }, "retries: it must be an object"],
    [{ strict: 5 }, "strict: it must be true or false"],
    [{ url: 5 }, "url: it must be a text"],
  ];
  for (const [one, says] of options) {
    const { message } = assertThrows(() => createGateway(one as Options), TypeError);
    assertEquals(message.slice(-says.length), says, message);
  }
});
