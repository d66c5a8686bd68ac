/** OpenAI's Responses, the client's half: the one item of a stream that answers a request for a summary. */
import type { Defaults, JsonObject } from "../types.ts";
import type { Events } from "./open_item.ts";
import type { Items } from "./write_items.ts";
import { compactionItem, itemIds } from "./write_output.ts";

/** Makes a writer for a summary that replaces the conversation: one item, written when its text is complete. */
export function summaryItem({ id }: Defaults, output: JsonObject[], { send }: Events): Items {
  const pieces: string[] = [];
  return {
    ending() {},
    rest() {
      const item = compactionItem(itemIds(id)("compaction", 0), pieces.join(""));
      output.push(item);
      return send("response.output_item.added", { output_index: 0, item }) +
        send("response.output_item.done", { output_index: 0, item });
    },
    open: () => "",
    piece(delta) {
      if (delta.type === "text") pieces.push(delta.text);
      return "";
    },
    close: () => "",
  };
}
