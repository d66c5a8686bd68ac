/** The schemas of the tokens that open the gateway's own paths, and of the option `metrics`. */
import * as v from "npm:valibot@1.5.0";
import { labelOf, TAKEN_LABELS } from "../log/metrics.ts";

/** A token that opens the gateway's own paths. */
export const ownToken = v.pipe(
  v.string(),
  v.trim(),
  v.minLength(16, "must have at least 16 characters"),
  v.regex(/^[\x21-\x7e]+$/, "must consist of ASCII characters without blanks"),
);

const metricsLabels = v.pipe(
  v.array(v.pipe(
    v.string(),
    v.regex(/^[A-Za-z][\w.-]{0,63}$/, "must be a key of metadata: a letter, then letters, digits and _ . -"),
    v.check((key) => !TAKEN_LABELS.includes(labelOf(key)), "is a label already; choose another key"),
  )),
  v.maxLength(5, "must have at most 5 keys, as metadata does"),
  v.check((keys) => new Set(keys.map(labelOf)).size === keys.length, "must not have two keys of one label"),
);

/** The schema of the option `metrics`. */
export const metricsOption = v.strictObject({
  token: v.optional(ownToken),
  labels: v.optional(metricsLabels),
});
