/**
 * Tools whose schema Claude knows and clients do not send, for models that must be told.
 *
 * Written from the pages of each tool; the members of their inputs are those of `@anthropic-ai/sdk` 1.14.0.
 *
 * @see https://platform.claude.com/docs/en/agents-and-tools/tool-use/bash-tool (2026-11)
 * @see https://platform.claude.com/docs/en/agents-and-tools/tool-use/text-editor-tool (2026-11)
 * @see https://platform.claude.com/docs/en/agents-and-tools/tool-use/memory-tool (2026-11)
 */
import type { JsonObject } from "../types.ts";

/** A tool of Anthropic's that the client runs. */
export interface ClientTool {
  /** How its versions' types begin. */
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
    "For view: the first and the last line to show, from 1; -1 as the last is the end of the file.",
};

/** What edits of a file ask for, beside the commands that there are. */
const EDIT = {
  path: string("The file or directory."),
  view_range: VIEW_RANGE,
  file_text: string("For create: the whole text of the file."),
  old_str: string(
    "For str_replace: the text to replace, which must be in the file once, with its white space.",
  ),
  new_str: string("For str_replace: the text in its place. Nothing removes the old text."),
  insert_line: {
    type: "integer",
    description: "For insert: the line behind which the text is put; 0 for the beginning.",
  },
  insert_text: string("For insert: the text to put in."),
};

const object = (properties: JsonObject, required: string[] = []): JsonObject => ({
  type: "object",
  properties,
  required,
});

/** The tools, see `ClientTool`. */
export const CLIENT_TOOLS: readonly ClientTool[] = [
  {
    begins: "bash_20",
    name: "bash",
    description: "Runs a command in a bash session that stays open between calls.",
    parameters: object({
      command: string("The command to run. Needed unless the session is restarted."),
      restart: { type: "boolean", description: "true starts the session anew." },
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
