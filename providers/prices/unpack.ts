/** Unpacks the table of prices, which is JSON packed by gzip and base64. */

/** The text that was packed. */
export async function unpack(packed: string): Promise<string> {
  const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
  const text = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return await new Response(text).text();
}
