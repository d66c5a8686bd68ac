/** Reads one part of a candidate's content: text, a thought, a tool call, a picture, or work that Google's side did. */
import { object, text } from "../shared/json.ts";
import type { Emit, JsonObject, Media } from "../types.ts";
import { readName } from "./names.ts";
import { partialArguments } from "./partial_args.ts";
import { codeRun, noteSearch, type ServerWork } from "./server_calls.ts";

/** The format name of Gemini's entries in `reasoning_details`. OpenRouter uses the same name. */
export const THOUGHT_FORMAT = "google-gemini-v1";

export interface Choice extends ServerWork {
  text: string;
  /** The start of each part of a whole answer in `text`. */
  starts: number[];
  /** The number of the last block of thoughts. */
  block: number;
  /** The last part was a thought, so another thought continues its block. */
  thinking: boolean;
  tools: number;
  /** The tool call whose arguments come in pieces. */
  open?: { index: number; args: ReturnType<typeof partialArguments> };
  /** The candidate has content that a user sees. */
  spoke: boolean;
  reason: unknown;
  message?: unknown;
  citations?: unknown;
}

/** Makes the state of a candidate that has not begun. */
export const newChoice = (): Choice => ({
  text: "",
  starts: [],
  block: -1,
  thinking: false,
  tools: 0,
  open: undefined,
  spoke: false,
  reason: undefined,
  message: undefined,
  code: undefined,
  queries: [],
  grounding: undefined,
  fetched: undefined,
  citations: undefined,
});

/**
 * Makes a reader for the parts of one answer's candidates.
 *
 * @param id Returns the answer's id. Ids are made from it for tool calls without one.
 */
export function partReader(emit: Emit, id: () => string) {
  /** @returns Whether the log probabilities were emitted. */
  function readPart(part: JsonObject, choice: number, state: Choice, logprobs: unknown): boolean {
    const said = part.text;
    const signature = text(part.thoughtSignature);
    if (typeof said === "string") {
      if (part.thought === true) {
        readThought(said, signature, choice, state);
        return false;
      }
      state.thinking = false;
      if (said !== "") {
        state.text += said;
        state.spoke = true;
        emit(
          logprobs === undefined
            ? { type: "text", choice, text: said }
            : { type: "text", choice, text: said, logprobs },
        );
      }
      if (signature !== undefined) emit({ type: "signature", choice, signature });
      return said !== "";
    }
    if (part.thought === true) return false; // This part is a draft of an image.
    state.thinking = false;
    if (part.functionCall !== undefined) readCall(object(part.functionCall) ?? {}, signature, choice, state);
    else if (part.inlineData !== undefined) readBlob(object(part.inlineData) ?? {}, signature, choice, state);
    else if (part.fileData !== undefined) {
      const url = text(object(part.fileData)?.fileUri);
      state.spoke = true;
      if (url) emitImage(choice, { url }, signature);
    } else if (part.executableCode !== undefined) {
      state.code = object(part.executableCode);
      const { language, code } = state.code ?? {};
      seal(choice, state, part, fence(text(language)?.toLowerCase() ?? "", text(code) ?? ""));
    } else if (part.codeExecutionResult !== undefined) {
      const result = object(part.codeExecutionResult) ?? {};
      seal(choice, state, part, fence("", text(result.output) ?? ""));
      emit({ type: "server_tool", choice, serverCall: codeRun(state, result) });
      state.code = undefined;
    } else if (part.toolCall !== undefined || part.toolResponse !== undefined) {
      seal(choice, state, part);
      noteSearch(state, object(part.toolCall) ?? {});
    }
    const spoken = text(object(part.audioTranscription)?.text);
    if (spoken) emit({ type: "audio", choice, transcript: spoken });
    return false;
  }

  function readThought(said: string, signature: string | undefined, choice: number, state: Choice): void {
    if (!state.thinking) state.block++;
    state.thinking = true;
    const { block } = state;
    emit(
      signature === undefined
        ? { type: "thought", choice, block, summary: true, text: said }
        : { type: "thought", choice, block, summary: true, text: said, signature, format: THOUGHT_FORMAT },
    );
  }

  /**
   * Seals a part of what Google's side did: it must come back unchanged in the next request. `shown` is its text for
   * the client.
   */
  function seal(choice: number, state: Choice, part: JsonObject, shown?: string): void {
    state.block++;
    state.thinking = false;
    const redacted = JSON.stringify(part);
    emit({ type: "thought", choice, block: state.block, text: shown, redacted, format: THOUGHT_FORMAT });
  }

  function readCall(call: JsonObject, signature: string | undefined, choice: number, state: Choice): void {
    const more = call.willContinue === true;
    const name = readName(text(call.name) ?? "");
    if (name) {
      closeCall(choice, state);
      const index = state.tools++;
      state.spoke = true;
      const callId = text(call.id) ?? `call_${id() && `${id()}_`}${choice}_${index}`;
      emit(
        signature === undefined
          ? { type: "tool", choice, index, id: callId, name }
          : { type: "tool", choice, index, id: callId, name, signature },
      );
      if (!more && call.partialArgs === undefined) {
        emit({ type: "args", choice, index, text: JSON.stringify(object(call.args) ?? {}) });
        return;
      }
      state.open = { index, args: partialArguments() };
    }
    // Vertex streams a tool call as its name, then pieces without a name, then an empty piece.
    if (!state.open) return;
    if (Array.isArray(call.partialArgs)) {
      for (const piece of call.partialArgs) state.open.args.add(object(piece) ?? {});
    }
    if (!more) closeCall(choice, state);
  }

  function closeCall(choice: number, state: Choice): void {
    if (!state.open) return;
    const { index, args } = state.open;
    emit({ type: "args", choice, index, text: args.text() });
    state.open = undefined;
  }

  /** Emits images and sound. Other media become images too, with their type in the data URL. */
  function readBlob(blob: JsonObject, signature: string | undefined, choice: number, state: Choice): void {
    const mime = text(blob.mimeType) ?? "application/octet-stream";
    const data = text(blob.data) ?? "";
    state.spoke = true;
    if (mime.startsWith("audio/")) emit({ type: "audio", choice, data });
    else emitImage(choice, { mime, data }, signature);
  }

  const emitImage = (choice: number, media: Media, signature: string | undefined) =>
    emit({ type: "image", choice, media, ...(signature !== undefined && { signature }) });

  return { readPart, seal, closeCall };
}

/** Writes code as Markdown. */
const fence = (language: string, code: string) => `\`\`\`${language}\n${code.replace(/\n$/, "")}\n\`\`\`\n`;
