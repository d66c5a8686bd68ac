import { assertEquals, assertMatch } from "@std/assert";
import { CLIENT_TOOLS } from "../../../wires/anthropic_messages/client_tools.ts";
import type { JsonObject } from "../../../wires/types.ts";

/** The members of each tool's input, as `@anthropic-ai/sdk` 1.14.0 and the tools' pages have them. */
const MEMBERS: Record<string, string> = {
  bash: "command restart",
  str_replace_based_edit_tool: "command file_text insert_line insert_text new_str old_str path view_range",
  memory: "command file_text insert_line insert_text new_path new_str old_path old_str path view_range",
};

Deno.test("CLIENT_TOOLS tells a model each member of a tool's input, with its type and what it is for", () => {
  assertEquals(CLIENT_TOOLS.map(({ name }) => name).sort(), Object.keys(MEMBERS).sort());
  for (const { name, description, parameters } of CLIENT_TOOLS) {
    assertMatch(description, /^[A-Z].+\.$/, name);
    const properties = parameters.properties as Record<string, JsonObject>;
    assertEquals(Object.keys(properties).sort().join(" "), MEMBERS[name]);
    for (const [member, schema] of Object.entries(properties)) {
      assertMatch(String(schema.type), /^(?:array|boolean|integer|string)$/, `${name} ${member}`);
      // Those that choose a command say so by their names.
      if (!schema.enum) assertMatch(String(schema.description), /\S.+\.$/, `${name} ${member}`);
    }
  }
});
