/** The options of rows that name places in their URLs. */
import * as v from "npm:valibot@1.5.0";
import { isLocation, isPlace } from "../../providers/urls.ts";

const place = (isRight: (text: string) => boolean, rule: string) =>
  v.optional(v.pipe(v.string(), v.check(isRight, rule)));

export const PLACES = {
  location: place(isLocation, "must be global, us, eu, or a region, e.g. europe-west4"),
  project: place((text) => isPlace("project", text), "must be a project's id, e.g. my-project-123"),
  region: place((text) => isPlace("region", text), "must be a region, e.g. eu-central-1"),
};
