import { assertEquals } from "@std/assert";
import { readCompatibleError } from "../../../wires/shared/compatible_error.ts";

Deno.test("readCompatibleError() takes a code for a status only where it is the number of a failure", () => {
  const cases: [status: number, code: unknown, expected: number | undefined][] = [
    [200, 503, 503],
    [200, 400, 400],
    [200, 599, 599],
    [200, 399, undefined],
    [200, 600, undefined],
    [200, 1301, undefined],
    [200, 5, undefined],
    [200, "503", undefined],
    [200, undefined, undefined],
    [429, 503, 429],
    [400, "x", 400],
  ];
  for (const [status, code, expected] of cases) {
    const error = readCompatibleError(status, { error: { message: "No", code } });
    assertEquals(error.status, expected, `${status} ${code}`);
  }
});
