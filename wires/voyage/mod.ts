/** Voyage AI: embeddings only, without chat. */
export { voyageEmbeddings } from "./embed.ts";
