/**
 * Schemas of Anthropic's tools that a client runs. Claude knows these schemas, so clients do not send them; other
 * models must be told.
 *
 * Written from the page of each tool; the inputs have the members that `@anthropic-ai/sdk` 1.14.0 declares.
 *
 * @see https://platform.claude.com/docs/en/agents-and-tools/tool-use/bash-tool (2026-11)
 * @see https://platform.claude.com/docs/en/agents-and-tools/tool-use/text-editor-tool (2026-11)
 * @see https://platform.claude.com/docs/en/agents-and-tools/tool-use/memory-tool (2026-11)
 */
import type { JsonObject } from "../types.ts";

/** A tool that Anthropic defines and the client runs. */
export interface ClientTool {
  /** How the `type` of every version of the tool begins. */
  begins: string;
  name: string;
  description: string;
  parameters: JsonObject;
}

const string = (description: string) => ({ type: "string", description });
const VIEW_RANGE = {
  type: "array",
  items: { type: "integer" },
  description:
    "For view: the first and the last line to show, counted from 1; -1 as the last line is the end of the file.",
};

/** The parameters of file edits, beside `command`. */
const EDIT = {
  path: string("The file or directory."),
  view_range: VIEW_RANGE,
  file_text: string("For create: the whole text of the file."),
  old_str: string(
    "For str_replace: the text to replace, including white space. It must be in the file exactly once.",
  ),
  new_str: string("For str_replace: the new text. If it is left out, the old text is deleted."),
  insert_line: {
    type: "integer",
    description:
      "For insert: the number of the line after which the text is inserted; 0 for the start of the file.",
  },
  insert_text: string("For insert: the text to insert."),
};

const object = (properties: JsonObject, required: string[] = []): JsonObject => ({
  type: "object",
  properties,
  required,
});

export const CLIENT_TOOLS: readonly ClientTool[] = [
  {
    begins: "bash_20",
    name: "bash",
    description: "Runs a command in a bash session that stays open between calls.",
    parameters: object({
      command: string("The command to run. Required unless the session is restarted."),
      restart: { type: "boolean", description: "true restarts the session." },
    }),
  },
  {
    begins: "text_editor_20",
    name: "str_replace_based_edit_tool",
    description: "Views, creates and edits text files.",
    parameters: object({
      command: { type: "string", enum: ["view", "create", "str_replace", "insert"] },
      ...EDIT,
    }, ["command", "path"]),
  },
  {
    begins: "memory_20",
    name: "memory",
    description: "Keeps notes between conversations, as files below /memories.",
    parameters: object({
      command: { type: "string", enum: ["view", "create", "str_replace", "insert", "delete", "rename"] },
      ...EDIT,
      old_path: string("For rename: the path as it is."),
      new_path: string("For rename: the path as it will be."),
    }, ["command"]),
  },
];
