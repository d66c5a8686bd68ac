/** The types of routes: graphs of elements that lead a request to models. */
import type { Provider } from "../../../providers/types.ts";

/** The parts of a request that routes look at. */
export interface Facts {
  /** The client's metadata; `undefined` if there is none. */
  metadata(): Readonly<Record<string, unknown>> | undefined;
  /** The value of a header; `null` if there is none. */
  header(name: string): string | null;
  /** A field of the body; `undefined` if there is none. */
  field(name: string): unknown;
}

/** A condition that is ready to be tested. */
export type Condition = (facts: Facts) => boolean;

/** Finds a value of a request; `undefined` if it is absent. */
export type Getter = (facts: Facts) => unknown;

/** A way out of a node, with the id of the node that it leads to. */
export interface Edge {
  name: string;
  to: string;
  /** The place where it is written. */
  place: string;
}

/** A node that limits how often a way is taken, or what it costs. */
export interface RateNode {
  type: "rate";
  /** Whether requests are counted, or what they cost. */
  counts: "requests" | "cost";
  /** Finds the value whose requests are counted together. Absent if all are. */
  get?: Getter;
  /** Requests, or US dollars. */
  limit: number;
  windowMs: number;
  isSliding: boolean;
  success: Edge;
  fallback?: Edge;
}

/** A node that asks a model. */
export interface ModelNode {
  type: "model";
  provider: Provider;
  model: string;
  /** Milliseconds within which an answer must begin; 0 for no limit. Absent if the request decides. */
  timeoutMs?: number;
  /** Attempts after the first one. Absent if the request decides. */
  retries?: number;
  success?: Edge;
  fallback?: Edge;
}

/** A node of a route. */
export type Node =
  | { type: "start"; next: Edge }
  | { type: "conditional"; test: Condition; true: Edge; false: Edge }
  | { type: "percentage"; shares: (Edge & { percent: number })[] }
  | RateNode
  | ModelNode
  | { type: "end" };

/** A route that is ready to be walked. */
export interface Graph {
  start: string;
  nodes: ReadonlyMap<string, Node>;
}

/** A route, by its name in a gateway. */
export interface Route {
  name: string;
  /** The id of the version that is deployed. Absent for a route of the options, which has none. */
  version?: string;
  /** Absent if the route cannot be used. */
  graph?: Graph;
  /** Why it cannot be used: its providers may have changed since it was written. */
  fault?: string;
}

/** A limit on the way of one request. Whether it is passed is asked once, when the request comes to it. */
export interface Toll {
  /** The id of its node. */
  id: string;
  node: RateNode;
  /** The way that leads to it. */
  way: string;
  /** The value whose requests are counted together. */
  value: unknown;
  /** The models that the request may come to if it passes. */
  behind: ModelNode[];
  /** Whether the request has passed it, once that was asked. */
  passed?: Promise<boolean>;
  /** Milliseconds after which a request that did not pass may try again, if that is sooner than the window's end. */
  waitMs?: number;
  /** The last step behind it that was sent, and the status of its answer; 0 if there is none. */
  sent?: { step: number; status: number };
}

/** A condition of a try: that a limit was passed, or not. */
export interface Gate {
  toll: Toll;
  isOpen: boolean;
}

/** A model that a walk has come to. */
export interface Leg {
  node: ModelNode;
  /** The conditions of the try, in their order. */
  gates: readonly Gate[];
  /** The way from the start: `start > plan true > split 90% > m1`. */
  way: string;
}

/** A leg of a route, as a part of its target. */
export type RouteLeg = Leg & { route: Route };
