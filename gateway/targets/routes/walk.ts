/** Walks through a route for one request. */
import type { Edge, Facts, Gate, Graph, Leg, Toll } from "./types.ts";

/**
 * The models that a request may try, in their order. Conditions and shares are decided at once. Limits are left open, because
 * a request counts only where it really comes by: behind a limit there are the tries of both its ways.
 *
 * @param random A number from 0 up to 1, anew for each call.
 */
export function walk({ start, nodes }: Graph, facts: Facts, random: () => number): Leg[] {
  const legs: Leg[] = [];

  function go(id: string, before: string, gates: readonly Gate[]): void {
    const node = nodes.get(id)!;
    const way = before + id;
    const follow = (edge: Edge | undefined, more = gates) => {
      if (edge) go(edge.to, `${way}${node.type === "start" ? "" : ` ${edge.name}`} > `, more);
    };
    switch (node.type) {
      case "start":
        return follow(node.next);
      case "conditional":
        return follow(node.test(facts) ? node.true : node.false);
      case "percentage":
        return follow(draw(node.shares, 100 * random()));
      case "rate": {
        const toll: Toll = { id, node, way, value: node.get?.(facts), behind: [] };
        follow(node.success, [...gates, { toll, isOpen: true }]);
        return follow(node.fallback, [...gates, { toll, isOpen: false }]);
      }
      case "model":
        legs.push({ node, gates, way });
        for (const { toll, isOpen } of gates) if (isOpen) toll.behind.push(node);
        return follow(node.fallback);
    }
  }

  go(start, "", []);
  return legs;
}

/** The share that a number from 0 up to 100 falls in. */
function draw(shares: readonly (Edge & { percent: number })[], at: number): Edge {
  let end = 0;
  for (const share of shares) {
    end += share.percent;
    if (at < end) return share;
  }
  return shares.at(-1)!;
}
