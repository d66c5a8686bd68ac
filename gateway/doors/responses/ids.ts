/** The ids of what the gateway stores. No provider makes ids of this form, so they go to none. */

const digits = () => crypto.randomUUID().replaceAll("-", "");

export const newResponseId = (): string => `resp_sluice_${digits()}`;
export const newConversationId = (): string => `conv_sluice_${digits()}`;

/** Whether the gateway has made an id. Any other one may be a provider's. */
export const isOwnResponse = (id: unknown): id is string =>
  typeof id === "string" && /^resp_sluice_[\da-f]{32}$/.test(id);
export const isOwnConversation = (id: unknown): id is string =>
  typeof id === "string" && /^conv_sluice_[\da-f]{32}$/.test(id);

/** How ids of items begin, by the type of the item. */
const PREFIXES: Readonly<Record<string, string>> = {
  apply_patch_call: "apc",
  apply_patch_call_output: "apco",
  code_interpreter_call: "ci",
  compaction: "cmp",
  computer_call: "cu",
  computer_call_output: "cuo",
  custom_tool_call: "ctc",
  custom_tool_call_output: "ctco",
  file_search_call: "fs",
  function_call: "fc",
  function_call_output: "fco",
  image_generation_call: "ig",
  local_shell_call: "lsh",
  local_shell_call_output: "lsho",
  mcp_call: "mcp",
  message: "msg",
  reasoning: "rs",
  shell_call: "sh",
  shell_call_output: "sho",
  tool_search_call: "tsc",
  tool_search_output: "tso",
  web_search_call: "ws",
};

const prefixOf = (type: unknown): string => {
  const known = `${type}`;
  return Object.hasOwn(PREFIXES, known) ? PREFIXES[known] : "item";
};

/** An id for an item that has none. @param unit What it belongs to, as the id of a response. */
export const itemId = (type: unknown, unit: string, at: number): string =>
  `${prefixOf(type)}_${unit.slice(unit.lastIndexOf("_") + 1)}_i${at}`;

export const newItemId = (type: unknown): string => `${prefixOf(type)}_sluice_${digits()}`;
