import { assertEquals } from "@std/assert";
import { sha256 } from "../../../gateway/policies/sha256.ts";

const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** The examples of FIPS 180-4: https://csrc.nist.gov/projects/cryptographic-standards-and-guidelines/example-values */
const PUBLISHED: [string, string][] = [
  ["", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
  ["abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
  [
    "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
  ],
];

Deno.test("sha256() gives the published values", () => {
  for (const [text, due] of PUBLISHED) assertEquals(sha256(new TextEncoder().encode(text)), due, text);
});

Deno.test("sha256() agrees with the runtime's own, at each length of a block's end and for long inputs", async () => {
  for (const length of [...Array(200).keys(), 4095, 4096, 100_000]) {
    const bytes = crypto.getRandomValues(new Uint8Array(Math.min(length, 65_536)));
    const due = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    assertEquals(sha256(bytes), hex(due), `${length}`);
  }
});
