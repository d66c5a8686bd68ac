import { assertEquals, assertThrows } from "@std/assert";
import { findProvider } from "../../providers/table.ts";
import type { Places } from "../../providers/types.ts";
import { fillPlaces, wireUrl } from "../../providers/urls.ts";
import { GatewayError } from "../../wires/errors.ts";

const provider = findProvider("openai")!;

Deno.test("fillPlaces() fills every place of a base URL, and leaves the rest unchanged", () => {
  const cases: [string, Places, string][] = [
    ["https://h/v1", { account: "../x", region: "evil/" }, "https://h/v1"],
    ["https://h/accounts/{account}/ai", { account: "a_B-1" }, "https://h/accounts/a_B-1/ai"],
    ["https://{region}.h/{region}", { region: "us-gov-west-1" }, "https://us-gov-west-1.h/us-gov-west-1"],
    [
      "https://{location}-h/projects/{project}",
      { location: "us-central1", project: "example.com:my-1" },
      "https://us-central1-h/projects/example.com:my-1",
    ],
    ["https://{resource}.h", { resource: "My-Res1" }, "https://My-Res1.h"],
    ["https://model-{model}.h", { model: "abc12" }, "https://model-abc12.h"],
  ];
  for (const [base, places, url] of cases) assertEquals(fillPlaces(provider, base, places), url, base);
});

Deno.test("fillPlaces() refuses a label that could lead elsewhere, and names the missing place", () => {
  const none: Record<keyof Places, string[]> = {
    account: ["", "a/b", "a.b", "..", "é", "x".repeat(65)],
    location: ["", "us-east-1", "us", "x.evil-1", "us-central1.evil"],
    model: ["", "a.b", "a/b", "a-b", "x".repeat(64)],
    project: ["", "..", ".a", "a/b", "A", "a?b", "a#b", "a@b", "x".repeat(64)],
    region: ["", "us-central1", "s3", "us-east-1.evil", "us-east-1/"],
    resource: ["", "-a", "a-", "a.b", "a/b", "a#", "a_b", "x".repeat(64)],
  };
  for (const [place, labels] of Object.entries(none)) {
    for (const label of labels) {
      const fill = () => fillPlaces(provider, `https://{${place}}.h`, { [place]: label });
      assertThrows(
        fill,
        GatewayError,
        `Cannot reach openai: ${JSON.stringify(label.slice(0, 100))} is not a`,
      );
    }
    assertThrows(() => fillPlaces(provider, `https://{${place}}.h`, {}), GatewayError, "it needs a");
  }
});

Deno.test("wireUrl() writes a version once that both the base URL and the wire's path have", () => {
  const cases = [
    ["https://h", "/v1/messages", "https://h/v1/messages"],
    ["https://h/v1", "/v1/messages", "https://h/v1/messages"],
    ["https://h/proxy/v1beta", "/v1beta/models/m:x?alt=sse", "https://h/proxy/v1beta/models/m:x?alt=sse"],
    ["https://h/v1", "/v2/chat", "https://h/v1/v2/chat"],
    ["https://h/chat", "/chat/completions", "https://h/chat/chat/completions"],
    ["https://h/v1", "/chat/completions", "https://h/v1/chat/completions"],
  ];
  for (const [baseUrl, path, url] of cases) {
    assertEquals(wireUrl({ ...provider, version: "v1", baseUrl }, path, "m", undefined), url);
  }
});
