/** Reads a route: a graph of elements from its start over conditions, shares and limits to models. */
import type { Provider } from "../../../providers/types.ts";
import { isObject } from "../../../wires/shared/json.ts";
import { RouteFault } from "./fault.ts";
import { isPlain, readNode } from "./nodes.ts";
import type { Edge, Graph, Node } from "./types.ts";

/** The most elements of a route, the most tries that it may lead to, and the longest name and JSON of one. */
export const MOST_OF_ROUTE = { nodes: 20, tries: 20, name: 128, json: 32 * 1024 };

/**
 * Reads a route: the list of its elements, or an object that holds it.
 *
 * @throws RouteFault that names the place of the fault, e.g. `elements[2] (m1).outputs.success`.
 */
export function readGraph(route: unknown, providers: ReadonlyMap<string, Provider>): Graph {
  const elements = isObject(route) ? route.elements : route;
  if (!Array.isArray(elements) || elements.length === 0) {
    throw new RouteFault("elements", "must be a list of elements, from a start to an end");
  }
  if (elements.length > MOST_OF_ROUTE.nodes) {
    throw new RouteFault("elements", `must be ${MOST_OF_ROUTE.nodes} at most`);
  }
  const nodes = new Map<string, Node>();
  const places = new Map<string, string>();
  let start: string | undefined;
  for (const [at, written] of elements.entries()) {
    const place = `elements[${at}]`;
    const { id, node } = readNode(written, place, providers);
    if (nodes.has(id)) {
      throw new RouteFault(`${place}.id`, `${JSON.stringify(id)} is the id of ${places.get(id)} too`);
    }
    if (node.type === "start" && start !== undefined) {
      throw new RouteFault(`${place} (${id})`, "a route has one start only");
    }
    if (node.type === "start") start = id;
    nodes.set(id, node);
    places.set(id, place);
  }
  if (start === undefined) throw new RouteFault("elements", "must hold an element of type start");
  const graph = { start, nodes };
  checkWays(graph, places);
  return graph;
}

/** Checks a name. It stands behind `dynamic/`, so it may hold slashes. @throws RouteFault */
export function checkRouteName(name: unknown): asserts name is string {
  const isName = typeof name === "string" && name !== "" && name.length <= MOST_OF_ROUTE.name &&
    isPlain(name) &&
    name.trim() === name && !name.includes(",");
  if (isName) return;
  throw new RouteFault(
    "name",
    `must be a text of 1 to ${MOST_OF_ROUTE.name} characters, without commas, control characters and outer blanks`,
  );
}

/** The ways out of a node. */
export function edgesOf(node: Node): Edge[] {
  switch (node.type) {
    case "start":
      return [node.next];
    case "conditional":
      return [node.true, node.false];
    case "percentage":
      return node.shares;
    case "rate":
    case "model":
      return [node.success, node.fallback].filter((edge) => edge !== undefined);
    case "end":
      return [];
  }
}

/**
 * Follows all ways. A circle, a way to nowhere, an element that no way leads to and a route that leads to no model are faults.
 *
 * @throws RouteFault
 */
function checkWays({ start, nodes }: Graph, places: ReadonlyMap<string, string>): void {
  /** How many tries a node leads to at most. */
  const tries = new Map<string, number>();

  function follow(id: string, way: readonly string[]): number {
    const known = tries.get(id);
    if (known !== undefined) return known;
    const node = nodes.get(id)!;
    const within = [...way, id];
    for (const { to, place } of edgesOf(node)) {
      const next = nodes.get(to);
      if (!next) throw new RouteFault(place, `there is no element ${JSON.stringify(to.slice(0, 100))}`);
      if (next.type === "start") throw new RouteFault(place, "must not lead back to the start");
      if (within.includes(to)) {
        const circle = [...within.slice(within.indexOf(to)), to].join(" > ");
        throw new RouteFault(place, `leads round in a circle: ${circle}`);
      }
      follow(to, within);
    }
    const count = triesOf(node, (edge) => edge ? tries.get(edge.to)! : 0);
    tries.set(id, count);
    return count;
  }

  const most = follow(start, []);
  for (const [id, place] of places) {
    if (!tries.has(id)) throw new RouteFault(`${place} (${id})`, "no way leads to it");
  }
  if (most === 0) throw new RouteFault("elements", "no way leads to a model");
  if (most > MOST_OF_ROUTE.tries) {
    throw new RouteFault("elements", `a request could try more than ${MOST_OF_ROUTE.tries} models`);
  }
  for (const [id, node] of nodes) {
    if (node.type !== "model" || !node.success || nodes.get(node.success.to)?.type === "end") continue;
    throw new RouteFault(`${places.get(id)} (${id}).outputs.success`, "must lead to an element of type end");
  }
}

/** How many tries a node leads to at most: a limit may lead to the tries behind either of its ways. */
function triesOf(node: Node, behind: (edge: Edge | undefined) => number): number {
  switch (node.type) {
    case "model":
      return 1 + behind(node.fallback);
    case "rate":
      return behind(node.success) + behind(node.fallback);
    default:
      return Math.max(0, ...edgesOf(node).map(behind));
  }
}
