/** A Converse body while it is written. */
import type { JsonObject } from "../types.ts";
import type { Family } from "./models.ts";

/** What the writers of a body share. */
export interface Draft {
  body: JsonObject;
  /** Fields of the model's family: `additionalModelRequestFields`. */
  more: JsonObject;
  family: Family;
  /** The client's paths of what Converse cannot express. */
  dropped: string[];
  /** Instructions that the settings add. */
  words: string[];
  /** The cache points in the order of the prompt, and the client's path of each mark. */
  points: { point: JsonObject; path: string }[];
  /** The client's names of tools that were renamed. */
  toolNames: Map<string, string>;
  /** No tools are sent, so earlier calls and results are written as text: Converse refuses them otherwise. */
  asText: boolean;
  documentName(name: string | undefined): string;
}
