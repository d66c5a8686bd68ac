/** Tells why fields of a request are left out. */
import type { Provider } from "../../providers/types.ts";
import type { Call } from "../../wires/types.ts";
import type { Exchange, Unsent } from "../exchange.ts";
import { isHint } from "../upstream/prepare.ts";

/** A field that is left out, by its path in the client's body. */
export interface Dropped {
  field: string;
  why: string;
  /** Whether the field is only a hint, which `sluice-strict` does not refuse. */
  hint: boolean;
}

/** The reasons, field by field. */
export function reasonsOf({ dropped = [], provider, call }: Unsent, { client }: Exchange): Dropped[] {
  const refused = refusedBy(provider);
  return [...new Set(dropped)].map((field) => ({
    field,
    why: refused.has(field)
      ? `${provider.name} refuses or ignores this field`
      : call === undefined
      ? `${provider.name} does not take it, or not with this model or value`
      : isForeign(field, call)
      ? `only the format of the client (${client.name}) has it`
      : `the format of ${provider.name} has nothing like it, or not with this model or value`,
    hint: isHint(field),
  }));
}

/** The top-level fields that a provider's row leaves out. */
function refusedBy({ wires, routes = [], embeddings }: Provider): ReadonlySet<string> {
  const all = [...wires, ...routes.flatMap(({ wires }) => wires)];
  return new Set([...all.flatMap(({ drop = [] }) => drop), ...embeddings?.drop ?? []]);
}

/** Whether no format but the client's own can say it: the neutral call has no term for it. */
const isForeign = (field: string, { dropped, sent }: Call): boolean =>
  dropped.includes(field) || /^\w+$/.test(field) && ![...sent.values()].includes(field);
