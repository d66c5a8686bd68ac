// A server of the Model Context Protocol on standard input and output, with one tool.
import { createInterface } from "node:readline";

const TOOL = {
  name: "look_up",
  description: "Looks a word up in the notes.",
  inputSchema: { type: "object", properties: { word: { type: "string" } }, required: ["word"] },
};

const RESULTS = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: "notes", version: "1.0.0" },
  }),
  "tools/list": () => ({ tools: [TOOL] }),
  "tools/call": ({ arguments: { word } }) => ({
    content: [{ type: "text", text: `The notes say of ${word}: forty-two.` }],
  }),
  ping: () => ({}),
};

createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params = {} } = JSON.parse(line);
  if (id === undefined) return;
  const answer = RESULTS[method]
    ? { result: RESULTS[method](params) }
    : { error: { code: -32601, message: "Method not found" } };
  process.stdout.write(JSON.stringify({ jsonrpc: "2.0", id, ...answer }) + "\n");
});
