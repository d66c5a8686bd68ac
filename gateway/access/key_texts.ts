/** Finds virtual keys in texts by their form. Only the hashes of their secrets are known. */
import { bytesOf, fromBase64, inSomeSpelling, MASK, type Mask, parsed, textOf } from "./secrets.ts";

/** The secret of a virtual key: `sl-`, and 32 bytes in base64url. */
const SECRET = /^sl-[\w-]{43}$/;

/** The same within a longer text, but not within a word, as in `ssl-…`. */
const WITHIN = /(?<![A-Za-z\d])sl-[\w-]{43}/g;

/** Whether a text has the form of a virtual key's secret. Such a text is never sent to a provider. */
export const isSecret = (text: string): boolean => text.startsWith("sl-") && SECRET.test(text);

/** Whether a text holds a virtual key anywhere, also percent-encoded, in base64 or in a `Basic` credential. */
export const holdsKey = (text: string): boolean => inSomeSpelling(text, hasKey);

const hasKey = (text: string) => text.includes("sl-") && text.search(WITHIN) >= 0 || isPacked(text);

/** Words of base64 that are long enough for the 46 bytes of a key. */
const LONG_WORD = /[\w+/-]{61,}/g;

/** `sl-` in base64, at each of the three offsets that it may have. */
const PACKED = /c2wt|NsL|zbC/;

function isPacked(text: string): boolean {
  for (const [word] of text.matchAll(LONG_WORD)) {
    if (!PACKED.test(word)) continue;
    // The text in base64 may begin within the word.
    for (let from = 0; from < 4; from++) {
      if (fromBase64(word.slice(from)).search(WITHIN) >= 0) return true;
    }
  }
  return false;
}

const masked = (text: string) => text.includes("sl-") ? text.replaceAll(WITHIN, MASK) : text;

/** The end of a text that may be the beginning of a key. */
const OPEN_END = /(?<![A-Za-z\d])s(?:l(?:-[\w-]{0,42})?)?$/;

/** A mask that also replaces every text that has the form of a virtual key. */
export function withKeys(mask: Mask | undefined): Mask {
  const whole = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => {
    const text = textOf(bytes);
    const left = masked(text);
    return left === text ? bytes as Uint8Array<ArrayBuffer> : bytesOf(left);
  };
  return {
    text: (text) => masked(mask?.text(text) ?? text),
    object(object) {
      const inner = mask?.object(object) ?? object;
      const text = JSON.stringify(inner);
      const left = masked(text);
      return left === text ? inner : parsed(left);
    },
    whole: (bytes) => whole(mask?.whole(bytes) ?? bytes),
    bytes() {
      const inner = mask?.bytes();
      let held = "";
      return {
        push(bytes) {
          const text = masked(held + textOf(inner?.push(bytes) ?? bytes));
          const open = OPEN_END.exec(text)?.index ?? text.length;
          held = text.slice(open);
          return bytesOf(text.slice(0, open));
        },
        end: () => bytesOf(masked(held + textOf(inner?.end() ?? new Uint8Array()))),
      };
    },
  };
}
