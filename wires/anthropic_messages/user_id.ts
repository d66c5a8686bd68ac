/**
 * Recognizes a `metadata.user_id` that Anthropic refuses: "Do not include any identifying information such as name,
 * email address, or phone number."
 *
 * The page only asks for that. That the API refuses such ids is known from its errors as quoted in
 * BerriAI/litellm#10106 (e-mail addresses) and vercel/ai#12419 (length). How it recognizes telephone numbers is not
 * known, so the forms below are a guess.
 *
 * @see https://platform.claude.com/docs/en/api/messages#body-metadata (2026-11)
 */

const MOST_USER_ID = 256;

/**
 * Matches an international number anywhere in the text, e.g. `user:whatsapp:+14155550100`. A `+` inside a word is
 * base64.
 */
const INTERNATIONAL = /(?:^|[^A-Za-z0-9+\/])\+\d(?:[\s().-]*\d){6,14}(?![A-Za-z0-9+\/=])/;

/**
 * Whether the API refuses a `user_id`: it is too long, or it looks like an e-mail address or a telephone number.
 *
 * Refused are for example `jane@example.com`, `+1 415 555 0100`, `(415) 555-0100`, `030/901820`, `tel:+49-30-901820`
 * and `4155550100`. Accepted are `42`, `user-123`, a UUID, and a number with more digits than a telephone number has.
 */
export function isPersonal(id: string): boolean {
  if (id.length > MOST_USER_ID && [...id].length > MOST_USER_ID) return true;
  const plain = id.normalize("NFKC").trim();
  if (/[^\s@]@[^\s@]+\.[^\s@]/.test(plain) || INTERNATIONAL.test(plain)) return true;
  // Telephone numbers have at most 15 digits (E.164), and few have less than seven.
  const number = /^(?:[a-z]{2,10}:\s*)?\(?(\+|00)?([\d\s().\/\u2010-\u2015-]+)(?:(?:ext|x|#)\.?\s*\d{1,6})?$/i
    .exec(plain);
  if (!number) return false;
  const [, prefix, written] = number;
  const digits = written.replace(/\D/g, "").length;
  if (digits < 7 || digits > 15) return false;
  return prefix !== undefined || /\D/.test(written.trim()) || digits >= 10 || written.startsWith("0");
}
