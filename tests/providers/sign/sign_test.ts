import { assertEquals } from "@std/assert";
import { signWithKey } from "../../../providers/sign/key.ts";
import { compatible } from "../../../providers/kinds.ts";
import { PROVIDERS } from "../../../providers/table.ts";
import type { Provider, Unsigned } from "../../../providers/types.ts";
import { before, completion, messages, post, refusal, ROOT } from "../../fakes.ts";

/** A provider whose requests are signed asynchronously, over method, URL and body. */
async function withSigner(test: () => Promise<void>): Promise<void> {
  let signatures = 0;
  const sign = async ({ method, url, body, headers }: Unsigned, _: Provider, key: string) => {
    const text = await new Response(body).text();
    headers.set("x-signature", `${++signatures} ${key} ${method} ${url} ${text}`);
  };
  const table = PROVIDERS as Map<string, Provider>;
  table.set("signed", { name: "signed", ...compatible("https://signed.test/v1", { sign }) });
  try {
    await test();
  } finally {
    table.delete("signed");
  }
}

Deno.test("a row's signer signs the written body for each attempt, on chat and native paths", () =>
  withSigner(async () => {
    const { fetch, sent } = before((_, at) => at % 2 === 0 ? refusal(503) : completion(), {
      keys: { signed: ["k1", "k2"] },
      tokens: ["token-of-the-gateway"],
    });
    const headers = {
      "cf-aig-authorization": "Bearer token-of-the-gateway",
      "cf-aig-max-attempts": "2",
      "cf-aig-retry-delay": "1",
    };
    const body = { model: "m", messages };
    const paths = [[`${ROOT}/compat/chat/completions`, "signed/m"], [`${ROOT}/signed/chat/completions`, "m"]];
    for (const [url, model] of paths) {
      const answer = await fetch(post(url, { ...body, model }, headers));
      assertEquals(answer.status, 200);
      await answer.text();
    }
    const signed = sent.map(({ headers, body }) => [headers.get("x-signature"), body]);
    const text = JSON.stringify(body);
    const of = (at: number, key: string) =>
      `${at} ${key} POST https://signed.test/v1/chat/completions ${text}`;
    assertEquals(signed, [[of(1, "k1"), text], [of(2, "k2"), text], [of(3, "k1"), text], [
      of(4, "k2"),
      text,
    ]]);
    assertEquals(sent.map(({ headers }) => headers.get("authorization")), [null, null, null, null]);
  }));

Deno.test("signWithKey() sets a key in the row's header or in that of its form, but never over the operator's", () => {
  const signed = (row: Partial<Provider>, key: string) => {
    const headers = new Headers();
    signWithKey({ headers }, { ...PROVIDERS.get("anthropic")!, ...row }, key);
    return [...headers];
  };
  assertEquals(signed({}, "k"), [["x-api-key", "k"]]);
  assertEquals(signed({}, "sk-ant-oat01"), [["authorization", "Bearer sk-ant-oat01"]]);
  assertEquals(signed({ auth: { header: "X-Key", prefix: "Key " } }, "k"), [["x-key", "Key k"]]);
  assertEquals(signed({ fixed: { "x-api-key": "own" } }, "k"), []);
});
