/** The schema of headers in options. */
import * as v from "npm:valibot@1.5.0";

/** The schema of an object of headers. */
export const headersOption = v.pipe(
  v.record(v.string(), v.string()),
  v.check((entries) => {
    try {
      return new Headers(entries) !== undefined;
    } catch {
      return false;
    }
  }, "must be headers: a name or a value has a character that headers cannot hold"),
);
