/** The ways to a row's models, with the changes of the options. */
import type { Provider, Row } from "../../providers/types.ts";

/**
 * @param wire The wire that the options name, if any: all models are then spoken to in it.
 * @param drop Fields that the options say the provider refuses.
 */
export function changeRoutes(
  { routes }: Provider,
  wire: string | undefined,
  drop: readonly string[] | undefined,
): Pick<Row, "routes"> {
  if (!routes || wire === undefined && drop === undefined) return {};
  if (wire !== undefined) return { routes: undefined };
  const left = (spoken: Row["wires"][number]) => ({ ...spoken, drop: [...spoken.drop ?? [], ...drop!] });
  return {
    routes: routes.map(({ wires: [first, ...others], ...route }) => ({
      ...route,
      wires: [left(first), ...others.map(left)] as const,
    })),
  };
}
