/** What an agent is asked to do, what the model does meanwhile, and what must be true afterwards. */
import type { AgentName, Settings, Told } from "./agents.ts";
import type { Plot, Provider, Say, Seen, ToolCall, Wire } from "./providers.ts";
import type { Room } from "./room.ts";

/** How the model works with an agent's tools. */
export interface Hands {
  read(file: string, seen: Seen): ToolCall;
  edit(file: string, from: string, to: string, seen: Seen): ToolCall;
  /** Replaces a file of one line by the tool that the agent has for patches. */
  patch(file: string, from: string, to: string): ToolCall;
}

/** What there is to look at after a run. */
export interface Outcome {
  told: Told;
  room: Room;
  provider: Provider;
  /** The content of a file of the agent's folder. */
  file(name: string): Promise<string>;
}

export interface Scenario {
  /** Whose it is. Default: everybody's. */
  agents?: readonly AgentName[];
  wires?: readonly Wire[];
  /** What the agent calls the model: a name that the gateway leads on. Default: the model's own name. */
  name?: Record<AgentName, string>;
  settings?(room: Room): Partial<Settings>;
  prompt: string;
  files: Record<string, string>;
  plot(hands: Hands): Plot;
  /** What is wrong, if anything. */
  fault(outcome: Outcome): Promise<string | undefined> | string | undefined;
}

const PROMPT = "Change the colour in colour.txt from blue to green.";
const FILES = { "colour.txt": "The colour is blue.\n" };
const GREEN = "The colour is green.\n";
const THOUGHT = "I read it before I change it.";
const DONE: Say = { text: "Done: the colour is green." };

/** A request for a title, a summary and the like has no tools that work on files. */
const isAside = ({ tools }: Seen) => tools.length < 2;

/** Agents ask for a summary of what was said, and Sluice does where it makes one itself. */
const asksSummary = ({ last }: Seen) =>
  /create a detailed summary|context checkpoint|summarise this conversation/i.test(last);

/** What holds of each run that succeeds. */
function plainFault({ told, provider }: Outcome): string | undefined {
  if (told.late) return "it did not end by itself";
  if (provider.refused.length > 0) return `the provider refused: ${provider.refused[0]}`;
  if (told.failed) return `it told the user that it had failed: ${told.text}`;
  if (!told.text.includes("Done")) return `the user was told: ${told.text}`;
}

const TRANSLATED: readonly Wire[] = ["anthropic", "chat", "gemini"];
const SERVER = new URL("notes_server.mjs", import.meta.url).pathname;

/** Most requests of a run that does not go round in circles. */
const MOST_REQUESTS = 30;

/** With an MCP server of one tool. */
const mcp: Scenario["settings"] = ({ home }) => ({
  config: ["[mcp_servers.notes]", 'command = "node"', `args = [${JSON.stringify(SERVER)}]`],
  args: ["--mcp-config", `${home}/mcp.json`, "--allowedTools", "mcp__notes__look_up"],
  homeFiles: {
    "mcp.json": JSON.stringify({ mcpServers: { notes: { command: "node", args: [SERVER] } } }),
  },
});

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  "a tool loop that edits a file": {
    prompt: PROMPT,
    files: FILES,
    plot: ({ read, edit }) => (seen) => {
      if (isAside(seen)) return { text: "Colour" };
      if (seen.results.length === 0) {
        return { think: THOUGHT, text: "I read it.", calls: [read("colour.txt", seen)] };
      }
      if (seen.results.length === 1) return { calls: [edit("colour.txt", "blue", "green", seen)] };
      return DONE;
    },
    async fault(outcome) {
      const fault = plainFault(outcome);
      if (fault) return fault;
      const now = await outcome.file("colour.txt");
      if (now !== GREEN) return `the file holds ${JSON.stringify(now)}`;
      const second = outcome.room.asked.find(({ text }) => text.includes("colour is blue"));
      if (!second) return "the file's content reached no model";
      if (!outcome.provider.proof.test(second.text)) return "turn two came without the model's thought";
    },
  },
  "parallel tool calls": {
    prompt: "Read a.txt and b.txt.",
    files: { "a.txt": "Content of the first file\n", "b.txt": "Content of the second file\n" },
    plot: ({ read }) => (seen) => {
      if (isAside(seen)) return { text: "Files" };
      if (seen.results.length === 0) {
        return { think: THOUGHT, calls: [read("a.txt", seen), read("b.txt", seen)] };
      }
      return DONE;
    },
    fault(outcome) {
      const fault = plainFault(outcome);
      if (fault) return fault;
      const { text } = outcome.room.asked.at(-1)!;
      if (!text.includes("the first file") || !text.includes("the second file")) return "a result is missing";
      if (!outcome.provider.proof.test(text)) return "turn two came without the model's thought";
    },
  },
  "a stream that is cut in a tool call": {
    prompt: PROMPT,
    files: FILES,
    plot({ read, edit }) {
      let cuts = 0;
      return (seen) => {
        if (isAside(seen)) return { text: "Colour" };
        if (seen.results.length === 0) return { think: THOUGHT, calls: [read("colour.txt", seen)] };
        if (seen.results.length > 1) return DONE;
        const say = { text: "Now I change it.", calls: [edit("colour.txt", "blue", "green", seen)] };
        return cuts++ === 0 ? { cut: say } : say;
      };
    },
    async fault(outcome) {
      const { told, room, provider } = outcome;
      const now = await outcome.file("colour.txt");
      if (room.asked.length > MOST_REQUESTS) return `it asked ${room.asked.length} times`;
      if (provider.refused.length > 0) return `the provider refused: ${provider.refused[0]}`;
      // Who tells the user has changed nothing.
      if (told.failed && now === FILES["colour.txt"] && told.text !== "") return undefined;
      return plainFault(outcome) ?? (now === GREEN ? undefined : `the file holds ${JSON.stringify(now)}`);
    },
  },
  "a prompt that is too long": {
    prompt: "Read notes.txt, then tell me when you are done.",
    files: {
      "notes.txt": Array.from({ length: 600 }, (_, at) => `Note ${at}: a plain line of notes.\n`).join(""),
    },
    plot: ({ read }) => (seen) => {
      if (asksSummary(seen)) return { text: "<summary>The notes were read.</summary>" };
      if (isAside(seen)) return { text: "Notes" };
      if (seen.text.includes("The notes were read")) return DONE;
      if (seen.text.includes("Note 599: a plain")) return "overflow";
      return seen.results.length === 0 ? { think: THOUGHT, calls: [read("notes.txt", seen)] } : DONE;
    },
    fault(outcome) {
      const { told, room, provider } = outcome;
      if (told.late) return "it did not end by itself";
      if (room.asked.length > MOST_REQUESTS) return `it asked ${room.asked.length} times`;
      // Claude Code shortens what its thoughts are bound to, and sends them no more once it is told.
      const refused = provider.refused.find((text) => !text.includes("Invalid `signature`"));
      if (refused) return `the provider refused: ${refused}`;
      const isTold = told.failed && /too long|context|room|compact/i.test(told.text);
      return isTold || told.text.includes("Done") ? undefined : `the user was told: ${told.text}`;
    },
  },
  "a name that the agent has built in, and a patch": {
    name: { claude: "claude-sonnet-5-5", codex: "gpt-5.5" },
    prompt: PROMPT,
    files: FILES,
    plot: ({ read, patch }) => (seen) => {
      if (isAside(seen)) return { text: "Colour" };
      if (seen.results.length === 0) return { think: THOUGHT, calls: [read("colour.txt", seen)] };
      if (seen.results.length === 1) return { calls: [patch("colour.txt", FILES["colour.txt"], GREEN)] };
      return DONE;
    },
    async fault(outcome) {
      const fault = plainFault(outcome);
      const now = await outcome.file("colour.txt");
      return fault ?? (now === GREEN ? undefined : `the file holds ${JSON.stringify(now)}`);
    },
  },
  // A tool that joins later would unbind the thought of before: the model thinks nothing.
  "a tool of an MCP server": {
    // What OpenAI itself is sent is handed through, namespaces too.
    wires: TRANSLATED,
    settings: mcp,
    prompt: "Look up the answer in the notes.",
    files: {},
    plot: () => (seen) => {
      if (isAside(seen)) return { text: "Notes" };
      if (seen.results.some((result) => result.includes("forty-two"))) return DONE;
      const name = seen.tools.find((tool) => tool.includes("look_up"));
      if (name) return { calls: [{ name, args: { word: "answer" } }] };
      const search = seen.tools.find((tool) => /^tool_?search$/i.test(tool));
      if (!search || seen.results.length > 2) return { text: "There is no such tool." };
      const args = {
        query: search === "ToolSearch" ? "select:mcp__notes__look_up" : "look_up notes",
        max_results: 5,
      };
      return { calls: [{ name: search, args }] };
    },
    fault: plainFault,
  },
  "a tool of an MCP server that is searched for": {
    agents: ["codex"],
    name: { claude: "claude-sonnet-5-5", codex: "gpt-5.5" },
    wires: TRANSLATED,
    settings: mcp,
    prompt: "Look up the answer in the notes.",
    files: {},
    plot: () => (seen) => {
      const name = seen.tools.find((tool) => tool.includes("look_up"));
      if (seen.results.some((result) => result.includes("forty-two"))) return DONE;
      if (name) return { think: THOUGHT, calls: [{ name, args: { word: "answer" } }] };
      if (seen.results.length > 0 || !seen.tools.includes("tool_search")) {
        return { text: "There is no such tool." };
      }
      return {
        think: "I search for the tool.",
        calls: [{ name: "tool_search", args: { query: "look_up notes" } }],
      };
    },
    fault: plainFault,
  },
  "Anthropic's own paths": {
    agents: ["claude"],
    wires: ["anthropic"],
    settings: ({ url }) => ({
      env: { ANTHROPIC_BASE_URL: `${url}/v1/-/default/anthropic`, ANTHROPIC_MODEL: "claude-opus-5-5" },
    }),
    prompt: "Say that you are done.",
    files: {},
    plot: () => () => DONE,
    fault: plainFault,
  },
  "a key of one's own, and a token beside it": {
    settings: ({ token }) => ({
      env: {
        ANTHROPIC_AUTH_TOKEN: "",
        ANTHROPIC_API_KEY: "key",
        ANTHROPIC_CUSTOM_HEADERS: `cf-aig-authorization: Bearer ${token}`,
        OWN_KEY: "key",
      },
      provider: ['env_key = "OWN_KEY"', 'env_http_headers = { "cf-aig-authorization" = "SLUICE_TOKEN" }'],
    }),
    prompt: "Say that you are done.",
    files: {},
    plot: () => () => DONE,
    fault: plainFault,
  },
  "a WebSocket that is refused": {
    agents: ["codex"],
    settings: () => ({ provider: ["supports_websockets = true"] }),
    prompt: "Say that you are done.",
    files: {},
    plot: () => () => DONE,
    fault(outcome) {
      const { calls } = outcome.room;
      if (!calls.some(({ method, status }) => method === "GET" && status === 426)) return "it asked for none";
      return plainFault(outcome) ?? (outcome.room.asked.length > 2 ? "it asked more than once" : undefined);
    },
  },
  "a summary that the gateway makes": {
    agents: ["codex"],
    wires: TRANSLATED,
    settings: () => ({ config: ["model_auto_compact_token_limit = 40"], provider: ['name = "OpenAI"'] }),
    ...compacts(),
  },
  "a summary that the agent makes": {
    agents: ["codex"],
    settings: () => ({ config: ["model_auto_compact_token_limit = 40"] }),
    ...compacts(),
  },
};

/** A conversation that is summarised in its middle. */
function compacts(): Pick<Scenario, "prompt" | "files" | "plot" | "fault"> {
  return {
    prompt: PROMPT,
    files: FILES,
    plot({ read, edit }) {
      // Each answer fills the context that the agent believes to have: it may ask for a summary before any turn.
      let edited = false;
      return (seen) => {
        if (asksSummary(seen)) return { text: "SUMMARY: the colour was read, it is blue." };
        if (isAside(seen)) return { text: "Colour" };
        if (edited) return DONE;
        if (!seen.text.includes("SUMMARY: the colour")) {
          return { think: THOUGHT, calls: [read("colour.txt", seen)] };
        }
        edited = true;
        return { calls: [edit("colour.txt", "blue", "green", seen)] };
      };
    },
    async fault(outcome) {
      const fault = plainFault(outcome);
      if (fault) return fault;
      if (outcome.room.asked.length > MOST_REQUESTS) return `it asked ${outcome.room.asked.length} times`;
      if (!outcome.room.asked.some(({ text }) => text.includes("SUMMARY: the colour"))) {
        return "no summary went on";
      }
      const now = await outcome.file("colour.txt");
      return now === GREEN ? undefined : `the file holds ${JSON.stringify(now)}`;
    },
  };
}
