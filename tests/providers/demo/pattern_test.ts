import { assert, assertEquals } from "@std/assert";
import { textMatching } from "../../../providers/demo/pattern.ts";

const PATTERNS = [
  "",
  "^[A-Z]{2}\\d{3}$",
  "^\\+?[1-9]\\d{1,14}$",
  "^(foo|bar)-(?:x|y)+?$",
  "^(?<year>\\d{4})-(0[1-9]|1[0-2])$",
  "^[^a-z\\s]+$",
  "^[\\w.+-]+@[\\w-]+\\.[a-z]{2,}$",
  "^.{3,5}$",
  "^\\S+\\s\\D+\\W$",
  "^[-a]$",
  "^[\\]\\\\]{2}$",
  "^\\x41\\u0042\\u{1F600}\\n$",
  "^[^\\u0000-\\u0061]+$",
  "^#([0-9a-fA-F]{6}|[0-9a-fA-F]{3})$",
  "a|b",
  "^x{0}$",
  "^(a?){3}$",
  "^(a*)*b$",
  "^\\/api\\/v\\d+(\\/[a-z]+)*$",
];

Deno.test("textMatching() writes texts that the pattern matches, longer where it can", () => {
  for (const source of PATTERNS) {
    for (const least of [0, 1, 7]) {
      const text = textMatching(source, least);
      assert(text !== undefined && new RegExp(source, "u").test(text), `${source}: ${text}`);
    }
  }
  assertEquals(textMatching("^[a-z]+$", 7), "aaaaaaa");
  assertEquals(textMatching("mid", 5), "midaa");
});

Deno.test("textMatching() returns undefined for a pattern that it cannot read, and for a text that would be too long", () => {
  const refused = [
    "(?=a)b",
    "(?<!a)b",
    "(a)\\1",
    "\\p{Lu}",
    "\\Bx",
    "\\bx",
    "[",
    "[]",
    "[a",
    "(a",
    "a)",
    "*",
    "a**",
    "\\",
  ];
  refused.push("(".repeat(5_000), "((a{9999}){9999}){9999}", "a{9999}a{9999}");
  for (const pattern of refused) assertEquals(textMatching(pattern, 0), undefined, pattern.slice(0, 30));
});

Deno.test("textMatching() knows each escape, and in sets the characters that mean something elsewhere", () => {
  const texts: Record<string, string> = {
    "\\d": "0",
    "\\D": "a",
    "\\w": "a",
    "\\W": "-",
    "\\s": " ",
    "\\S": "a",
    "\\n\\r\\t": "\n\r\t",
    "\\.": ".",
    "[*]": "*",
    "[+?]": "+",
    "[a-c]": "a",
    "[^a]": "A",
    "[\\d]": "0",
    "\\X41": "X41",
    "\\x4a": "J",
    "\\x4A": "J",
  };
  for (const [pattern, text] of Object.entries(texts)) assertEquals(textMatching(pattern, 0), text, pattern);
});
