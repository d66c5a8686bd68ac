/** Voyage AI, which has embeddings and no chat. */
export { voyageEmbeddings } from "./embed.ts";
