/**
 * Turns deltas into items that open, grow and close one after another, as clients of Messages and Responses read them.
 */
import type { Delta, StreamWriter } from "../types.ts";

/** A delta that begins an item of the answer or that adds to one. */
export type ItemDelta = Extract<
  Delta,
  { type: "text" | "refusal" | "thought" | "tool" | "args" | "citation" | "server_tool" | "image" }
>;

/** A delta that can begin an item. A `citation` begins a text; arguments always follow their tool call. */
export type FirstDelta = Exclude<ItemDelta, { type: "args" }>;

/** Writes items for a client. Each method returns the text to send, which may be empty. */
export interface ItemWriter {
  /**
   * An item begins.
   *
   * @param first The delta that begins the item. It has a tool call's name and id, a server tool's call, or an image.
   * The first piece of a text, a refusal or a thought is passed to `piece` as well.
   */
  open(first: FirstDelta): string;
  /** A piece is added to the open item: text, refusal, thought, citation, or arguments of a tool call. */
  piece(delta: Exclude<ItemDelta, { type: "tool" | "server_tool" | "image" }>): string;
  /** Closes the open item. */
  close(): string;
}

/** The most UTF-16 units that are held back for one stream. */
const MOST_HELD = 2 ** 24;

/** An item that waits for the open tool call to end. */
interface Held {
  first: FirstDelta;
  pieces: ItemDelta[];
}

/**
 * The open item. For a tool call, `whole` tells whether its arguments are complete, and `taken` records a piece of
 * them.
 */
interface Open {
  first: FirstDelta;
  whole: () => boolean;
  taken: (text: string) => void;
}

/**
 * Turns deltas into items, one open at a time, in the order in which the model began them.
 *
 * Some providers stream the arguments of several tool calls at once, but a client's item takes nothing more after it is
 * closed. So whatever begins after a tool call with incomplete arguments is held back until the arguments are complete
 * JSON, or until the answer ends. The free text of a custom tool is complete when something else begins.
 *
 * Only the first choice is written, because these clients have no others. Deltas that belong to no item are ignored.
 */
export function itemSteps(writer: ItemWriter): StreamWriter {
  let open: Open | undefined;
  let choice: number | undefined;
  /** By the index of a tool call: `closed`, or its item that is held back. */
  const calls = new Map<number, Held | "closed">();
  let held: Held[] = [];
  /** The index in `held` of the first item that still waits. */
  let next = 0;
  let heldUnits = 0;

  const holds = () => next < held.length;

  function begin(first: FirstDelta): string {
    const end = first.type === "tool" && !first.custom ? jsonEnd() : undefined;
    open = { first, whole: end?.isWhole ?? always, taken: end?.push ?? ignore };
    const out = writer.open(first);
    if (first.type === "server_tool" || first.type === "image") return out + close();
    return first.type === "tool" ? out : out + writer.piece(first);
  }

  function close(): string {
    if (!open) return "";
    const { first } = open;
    open = undefined;
    if (first.type === "tool") calls.set(first.index, "closed");
    return writer.close();
  }

  function grow(delta: ItemDelta): string {
    if (delta.type === "args") open!.taken(delta.text);
    return writer.piece(delta as Parameters<ItemWriter["piece"]>[0]);
  }

  /** Writes the held items, up to and including the next tool call whose arguments are not complete. */
  function release(): string {
    let out = "";
    while (holds() && (!open || open.whole())) {
      const { first, pieces } = held[next++];
      if (first.type === "tool") calls.delete(first.index);
      out += close() + begin(first);
      for (const piece of pieces) out += grow(piece);
    }
    if (!holds()) {
      held = [];
      next = heldUnits = 0;
    }
    return out;
  }

  function hold(delta: ItemDelta): string {
    heldUnits += unitsOf(delta);
    if (delta.type === "args") {
      const item = calls.get(delta.index);
      // Arguments for a closed tool call are white space behind its JSON, and are ignored.
      if (typeof item === "object") item.pieces.push(delta);
    } else {
      const last = holds() ? held[held.length - 1] : undefined;
      if (last && goesOn(last.first, delta)) last.pieces.push(delta);
      else {
        const item: Held = { first: delta, pieces: [] };
        if (delta.type === "tool") calls.set(delta.index, item);
        held.push(item);
      }
    }
    if (heldUnits <= MOST_HELD) return "";
    // The limit is reached: the open tool call is closed without waiting for the rest of its arguments.
    return close() + release();
  }

  return {
    delta(delta) {
      if (!isItemDelta(delta)) return "";
      choice ??= delta.choice;
      if (delta.choice !== choice || isEmpty(delta)) return "";
      if (open) {
        const goes = delta.type === "args"
          ? open.first.type === "tool" && open.first.index === delta.index
          : !holds() && goesOn(open.first, delta);
        if (goes) {
          const out = grow(delta);
          return holds() ? out + release() : out;
        }
      }
      if (holds() || open && !open.whole()) return hold(delta);
      if (delta.type === "args") return "";
      return close() + begin(delta);
    },
    end() {
      let out = close();
      while (holds()) out += release() + close();
      return out;
    },
  };
}

/** Whether a delta continues the item that `first` began. */
function goesOn(first: FirstDelta, delta: ItemDelta): boolean {
  switch (delta.type) {
    case "text":
    case "citation":
      return first.type === "text" || first.type === "citation";
    case "refusal":
      return first.type === "refusal";
    case "thought":
      return first.type === "thought" && first.block === delta.block;
    default:
      return false;
  }
}

function isItemDelta(delta: Delta): delta is ItemDelta {
  switch (delta.type) {
    case "text":
    case "refusal":
    case "thought":
    case "tool":
    case "args":
    case "citation":
    case "server_tool":
    case "image":
      return true;
    default:
      return false;
  }
}

const isEmpty = (delta: ItemDelta): boolean =>
  (delta.type === "text" || delta.type === "refusal" || delta.type === "args") && delta.text === "";

/** A rough size of a delta in UTF-16 units. */
const unitsOf = (delta: ItemDelta): number =>
  32 + ("text" in delta ? delta.text?.length ?? 0 : 0) +
  (delta.type === "image" && "data" in delta.media ? delta.media.data.length : 0);

const always = () => true, ignore = () => {};

const QUOTE = 34, BACKSLASH = 92, OPEN_LIST = 91, CLOSE_LIST = 93, OPEN = 123, CLOSE = 125;

/** Tells when the object or list in JSON that comes in pieces is complete. */
export function jsonEnd(): { push(text: string): void; isWhole(): boolean } {
  let depth = 0;
  let begun = false;
  let inString = false;
  let escaped = false;
  return {
    push(text) {
      for (let at = 0; at < text.length; at++) {
        if (escaped) {
          escaped = false;
          continue;
        }
        switch (text.charCodeAt(at)) {
          case BACKSLASH:
            escaped = inString;
            break;
          case QUOTE:
            inString = !inString;
            break;
          case OPEN:
          case OPEN_LIST:
            if (inString) break;
            begun = true;
            depth++;
            break;
          case CLOSE:
          case CLOSE_LIST:
            if (!inString) depth--;
        }
      }
    },
    isWhole: () => begun && depth <= 0,
  };
}
