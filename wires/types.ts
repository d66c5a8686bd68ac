/** The neutral terms that every wire is read into and written from, one file per concern. */
export type * from "./answer.ts";
export type * from "./call.ts";
export type * from "./content.ts";
export type * from "./embeddings.ts";
export type * from "./wire.ts";
