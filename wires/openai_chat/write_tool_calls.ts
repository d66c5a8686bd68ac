/** OpenAI chat completions, the client's half: tool calls as chunks. */
import { members } from "../shared/json.ts";
import { packToolId } from "../shared/tool_id.ts";
import { type InputReader, inputReader } from "../shared/tools.ts";
import type { Delta } from "../types.ts";
import { googleContent } from "./attachments.ts";
import type { formOf } from "./write_answer.ts";

/**
 * How far a tool call is: `named` until its first argument text, then `argued`. `free` is a custom tool's call; a reader takes
 * the free text of one out of JSON.
 */
export type ToolState = "named" | "argued" | "free" | InputReader;

/**
 * Writes the tool calls of a stream. `states` are those of one choice, by the index of the tool call.
 *
 * @param chunk Writes a chunk with a choice's delta.
 */
export function toolCallWriter(
  form: ReturnType<typeof formOf>,
  chunk: (choice: number, delta: string) => string,
) {
  function input(choice: number, index: number, text: string): string {
    if (text === "") return "";
    return chunk(choice, `"tool_calls":[{"index":${index},"custom":{"input":${JSON.stringify(text)}}}]`);
  }

  function args(choice: number, index: number, text: string): string {
    const written = JSON.stringify(text);
    if (!form.legacyFunctions) {
      return chunk(choice, `"tool_calls":[{"index":${index},"function":{"arguments":${written}}}]`);
    }
    return index > 0 ? "" : chunk(choice, `"function_call":{"arguments":${written}}`);
  }

  return {
    open(delta: Extract<Delta, { type: "tool" }>, states: ToolState[]): string {
      const { choice, index, id, name, signature, custom } = delta;
      const isCustom = custom || form.customs?.has(name);
      // Free text needs no closing piece. Free text inside JSON arguments is taken out of them.
      states[index] = !isCustom ? "named" : custom ? "free" : inputReader();
      if (form.legacyFunctions) {
        // The format has room for one call, and clients would join the names of two.
        return index > 0
          ? ""
          : chunk(choice, `"function_call":{"name":${JSON.stringify(name)},"arguments":""}`);
      }
      const extra = signature ? `,${members(googleContent(signature))}` : "";
      const called = isCustom
        ? `"type":"custom","custom":{"name":${JSON.stringify(name)},"input":""}`
        : `"type":"function","function":{"name":${JSON.stringify(name)},"arguments":""}`;
      const packed = JSON.stringify(packToolId(id, signature));
      return chunk(choice, `"tool_calls":[{"index":${index},"id":${packed},${called}${extra}}]`);
    },

    fill({ choice, index, text }: Extract<Delta, { type: "args" }>, states: ToolState[]): string {
      if (text === "") return "";
      const state = states[index];
      if (state === "free") return input(choice, index, text);
      if (typeof state === "object") return input(choice, index, state.push(text));
      states[index] = "argued";
      return args(choice, index, text);
    },

    close(choice: number, states: ToolState[]): string {
      let out = "";
      states.forEach((state, index) => {
        if (state === "named") out += args(choice, index, "{}");
        else if (typeof state === "object") out += input(choice, index, state.end());
      });
      return out;
    },
  };
}
