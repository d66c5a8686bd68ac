/** Guesses the name that was meant by a misspelt one, and the provider of a bare model name. */

/**
 * Names close to the one that a client wrote, the nearest first, for an error message.
 *
 * A name is close if it begins with the text, or if it differs from the text by at most a third of its letters. Letter case
 * does not count.
 *
 * @returns At most `count` of the known names; an empty list if none is close.
 */
export function nearestNames(
  name: string,
  known: Iterable<string>,
  count = 3,
): string[] {
  // A longer text is not close to any name, and comparing it would take time by the square of its length.
  if (name === "" || name.length > 64) return [];
  const wanted = name.toLowerCase();
  const near: { name: string; distance: number }[] = [];
  for (const candidate of known) {
    const distance = Math.min(editDistance(wanted, candidate), candidate.startsWith(wanted) ? 1 : Infinity);
    if (distance <= Math.max(1, Math.floor(candidate.length / 3))) near.push({ name: candidate, distance });
  }
  return near.sort((a, b) =>
    a.distance - b.distance || a.name.length - b.name.length || (a.name < b.name ? -1 : 1)
  ).slice(0, count).map((one) => one.name);
}

/**
 * Beginnings of names that only one provider can mean, because only the models' maker serves them. Models with open weights,
 * which anybody may serve, are missing: `gpt-oss-120b`, `gemma-4`, `llama-4`.
 */
const SOLE: readonly (readonly [name: RegExp, provider: string])[] = [
  [/^(?:chatgpt-|codex-|ft:gpt-|gpt-(?!oss)|o\d{1,2}(?:-|$)|text-embedding-(?:3-|ada-))/i, "openai"],
  [/^claude-/i, "anthropic"],
  [/^gemini-/i, "google-ai-studio"],
  [/^grok-/i, "grok"],
  [/^deepseek-/i, "deepseek"],
  [/^(?:codestral|devstral|magistral|ministral|mistral|pixtral)-/i, "mistral"],
  [/^(?:command-|embed-(?:v\d|english-|multilingual-))/i, "cohere"],
  [/^voyage-/i, "voyage"],
];

/** The only provider that a bare name can mean; `undefined` for any other name. */
export const soleProvider = (model: string): string | undefined =>
  SOLE.find(([name]) => name.test(model))?.[1];

/** Beginnings of names, with the provider that is likely meant. */
const MAKERS: readonly (readonly [name: RegExp, provider: string])[] = [
  [/^(?:chatgpt|codex|ft:gpt|gpt|o[1-9])/i, "openai"],
  [/^(?:claude|fable|haiku|mythos|opus|sonnet)/i, "anthropic"],
  [/^(?:gemini|gemma|models\/gem)/i, "google-ai-studio"],
  [/^grok/i, "grok"],
  [/^deepseek/i, "deepseek"],
  [/^(?:codestral|devstral|magistral|ministral|mistral|mixtral|pixtral)/i, "mistral"],
  [/^(?:c4ai|command)/i, "cohere"],
  [/^sonar/i, "perplexity"],
  [/^(?:llama|openai\/gpt-oss)/i, "groq"],
  [/^(?:qwen|qwq)/i, "alibaba"],
  [/^kimi/i, "moonshot"],
  [/^glm/i, "zai"],
  [/^minimax/i, "minimax"],
  [/^echo/i, "demo"],
];

/** The provider that a bare name likely means, for an error message. */
export const likelyProvider = (model: string): string | undefined =>
  MAKERS.find(([name]) => name.test(model))?.[1];

/** The least number of insertions, deletions, replacements and swaps of neighbours that turn one text into the other. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + changed);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, before[j - 2] + 1);
      }
      next.push(least);
    }
    before = row;
    row = next;
  }
  return row[b.length];
}
