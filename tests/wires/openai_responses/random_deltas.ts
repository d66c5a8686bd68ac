/** Random answers, as providers might give them. */
import type { Delta } from "../../../wires/types.ts";

/** Pseudo-random numbers below `most`, the same for the same seed (xorshift). */
function numbers(seed: number): (most: number) => number {
  let state = seed * 2654435761 + 88675123 | 0 || 1;
  return (most) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % most;
  };
}

const TEXTS = ["a", "Grüße ", "🗼", "\n\n", '"quoted" \\ ', "data: x\n\nevent: y", " "];
const NAMES = ["f", "patch_file", "mcp__x__y", "mcp__x__z", "shell", "unknown"];

/** A list of deltas, in which tool calls may come interleaved and texts in many pieces. */
export function randomDeltas(seed: number): Delta[] {
  const next = numbers(seed);
  const deltas: Delta[] = [{ type: "start", model: "m" }];
  const piece = () => TEXTS[next(TEXTS.length)];
  let calls = 0;
  let blocks = 0;
  for (let steps = next(8); steps >= 0; steps--) {
    switch (next(5)) {
      case 0:
      case 1:
        for (let count = next(4); count >= 0; count--) {
          deltas.push({ type: "text", choice: 0, text: piece() });
        }
        break;
      case 2: {
        const block = blocks++;
        const proof = next(2) === 0 ? { signature: "c2ln", format: "anthropic-claude-v1" } : {};
        deltas.push({ type: "thought", choice: 0, block, text: piece() });
        deltas.push({ type: "thought", choice: 0, block, text: piece(), ...proof });
        break;
      }
      case 3: {
        const first = calls;
        const count = 1 + next(3);
        const input = Array.from({ length: count }, () => JSON.stringify({ input: piece() + piece() }));
        for (const _ of input) {
          deltas.push({
            type: "tool",
            choice: 0,
            index: calls,
            id: `c${calls++}`,
            name: NAMES[next(NAMES.length)],
          });
        }
        for (let at = 0; at < 40; at += 3) {
          input.forEach((json, index) => {
            if (at < json.length) {
              const text = at + 3 >= 40 ? json.slice(at) : json.slice(at, at + 3);
              deltas.push({ type: "args", choice: 0, index: first + index, text });
            }
          });
        }
        break;
      }
      case 4:
        deltas.push({ type: "refusal", choice: 0, text: piece() });
    }
  }
  deltas.push({ type: "stop", choice: 0, reason: "stop" });
  return deltas;
}
