// The cache of a data center for workerd, whose Cache API is a client of such a service: GET, PUT of a whole answer, PURGE.
const kept = new Map();
const latin1 = new TextDecoder("latin1");

/** The answer in a body, written as on a connection: a status line, headers, a blank line, and the bytes. */
function readAnswer(bytes) {
  let end = 0;
  while (latin1.decode(bytes.subarray(end, end + 4)) !== "\r\n\r\n") end++;
  const [, ...lines] = latin1.decode(bytes.subarray(0, end)).split("\r\n");
  const headers = new Headers(lines.map((line) => [line.split(":", 1)[0], line.replace(/^[^:]*: */, "")]));
  const body = bytes.subarray(end + 4);
  const isChunked = headers.get("transfer-encoding") === "chunked";
  headers.delete("transfer-encoding");
  return { headers, body: isChunked ? unchunked(body) : body };
}

/** The bytes of chunks, each of which stands behind its length. */
function unchunked(bytes) {
  const joined = new Uint8Array(bytes.length);
  let length = 0;
  for (let at = 0;;) {
    let end = at;
    while (bytes[end] !== 13) end++;
    const size = parseInt(latin1.decode(bytes.subarray(at, end)), 16);
    if (size === 0) return joined.subarray(0, length);
    joined.set(bytes.subarray(end + 2, end + 2 + size), length);
    length += size;
    at = end + 2 + size + 2;
  }
}

export default {
  async fetch(request) {
    const key = `${request.headers.get("cf-cache-namespace")} ${request.url}`;
    if (request.method === "PUT") {
      kept.set(key, readAnswer(new Uint8Array(await request.arrayBuffer())));
      return new Response(null, { status: 204 });
    }
    if (request.method === "PURGE") return new Response(null, { status: kept.delete(key) ? 200 : 404 });
    const found = kept.get(key);
    if (!found) return new Response(null, { status: 504, headers: { "cf-cache-status": "MISS" } });
    return new Response(found.body, { headers: [...found.headers, ["cf-cache-status", "HIT"]] });
  },
};
