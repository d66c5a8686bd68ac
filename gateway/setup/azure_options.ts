/** The options of rows of Azure. */
import * as v from "npm:valibot@1.5.0";
import { isPlace } from "../../providers/urls.ts";

/** Matches `v1`, `preview`, `latest`, `2024-10-21` and `2025-04-01-preview`. */
const VERSION = /^(?:v1|preview|latest|20\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?:-preview)?)$/;

export const apiVersion = v.pipe(
  v.string(),
  v.regex(VERSION, "must be v1, preview, or a date as in 2025-04-01-preview"),
);

export const resource = v.pipe(
  v.string(),
  v.check((text) => isPlace("resource", text), "must be a resource's name, e.g. my-resource"),
);
