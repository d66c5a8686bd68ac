/**
 * Anthropic Messages, `metadata.user_id`: "Do not include any identifying information such as name, email address, or
 * phone number."
 *
 * The page only asks. That the API refuses is from its errors as quoted in BerriAI/litellm#10106 (e-mail addresses) and
 * vercel/ai#12419 (length); how it finds telephone numbers is not known, so that the forms below are a guess.
 *
 * @see https://platform.claude.com/docs/en/api/messages#body-metadata (2026-11)
 */

const MOST_USER_ID = 256;

/** A number of another country's form anywhere, as in `user:whatsapp:+14155550100`; a `+` inside a word is base64's. */
const INTERNATIONAL = /(?:^|[^A-Za-z0-9+\/])\+\d(?:[\s().-]*\d){6,14}(?![A-Za-z0-9+\/=])/;

/**
 * Whether the API refuses a `user_id`: as too long, or because it seems to hold an e-mail address or to be a telephone
 * number.
 *
 * `jane@example.com`, `+1 415 555 0100`, `(415) 555-0100`, `030/901820`, `tel:+49-30-901820`, `4155550100`; but not
 * `42`, `user-123`, a UUID or a number of more digits than a telephone has.
 */
export function isPersonal(id: string): boolean {
  if (id.length > MOST_USER_ID && [...id].length > MOST_USER_ID) return true;
  const plain = id.normalize("NFKC").trim();
  if (/[^\s@]@[^\s@]+\.[^\s@]/.test(plain) || INTERNATIONAL.test(plain)) return true;
  // The numbers of all countries have at most 15 digits (E.164), and few have less than seven.
  const number = /^(?:[a-z]{2,10}:\s*)?\(?(\+|00)?([\d\s().\/\u2010-\u2015-]+)(?:(?:ext|x|#)\.?\s*\d{1,6})?$/i
    .exec(plain);
  if (!number) return false;
  const [, prefix, written] = number;
  const digits = written.replace(/\D/g, "").length;
  if (digits < 7 || digits > 15) return false;
  return prefix !== undefined || /\D/.test(written.trim()) || digits >= 10 || written.startsWith("0");
}
