/** Tells why fields of a request are left out. */
import type { Provider } from "../../providers/types.ts";
import type { Unsent } from "../exchange.ts";

/** A field that is left out, by its path in the client's body. */
export interface Dropped {
  field: string;
  why: string;
}

/** The reasons, field by field. */
export function reasonsOf(fields: readonly string[], { provider, isTranslated }: Unsent): Dropped[] {
  const refused = refusedBy(provider);
  return fields.map((field) => ({
    field,
    why: reason(field, provider.name, refused, isTranslated === true),
  }));
}

/** The top-level fields that a provider's row leaves out. */
function refusedBy({ wires, embeddings }: Provider): ReadonlySet<string> {
  return new Set([...wires.flatMap(({ drop = [] }) => drop), ...embeddings?.drop ?? []]);
}

function reason(field: string, name: string, refused: ReadonlySet<string>, isTranslated: boolean): string {
  if (refused.has(field)) return `${name} refuses or ignores this field`;
  if (isTranslated) return `the format of ${name} has nothing like it, or the model refuses it`;
  return `the model, or ${name}, does not take it`;
}
