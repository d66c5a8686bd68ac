/** One entry of the list of operations. */
import type * as v from "npm:valibot@1.5.0";

/** One operation. */
export interface Operation {
  method: "get" | "post" | "put" | "patch" | "delete";
  /** The path, with its parameters in braces. */
  path: string;
  /** Its name in generated clients. */
  id: string;
  summary: string;
  tag: keyof typeof TAGS;
  /** The parameters of the query, each with what it does. */
  query?: Readonly<Record<string, string>>;
  /** The schema of its answer, by the media type. */
  answer: Readonly<Record<string, v.GenericSchema | undefined>>;
  /** The status of the answer. Default 200. */
  status?: number;
  /** A body that works with the built-in provider. */
  example?: object;
  /** Whether the answer may be a stream of events, if the body has `stream: true`. */
  streams?: true;
  /** By a pointer to an id in the answer: the operations that take the id in their path. */
  leads?: Readonly<Record<string, readonly string[]>>;
}

/** The groups of operations, each with the token that opens it. */
export const TAGS = {
  Models: { about: "The APIs of models. A model is written {provider}/{model}.", token: "gateway" },
  Providers: { about: "Each provider's own API.", token: "gateway" },
  Operator: { about: "For the operator of the gateway.", token: "admin" },
  Holder: { about: "For the holder of a gateway token.", token: "gateway" },
  Logs: {
    about: "Rows of requests, dynamic routes and options, as in Cloudflare's REST API.",
    token: "admin",
  },
  Service: { about: "About the service.", token: "none" },
} as const;

/** A JSON answer of this schema. */
export const json = (schema: v.GenericSchema) => ({ "application/json": schema });
