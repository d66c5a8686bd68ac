/**
 * Amazon's check of a signature: computed anew from the bytes that arrived.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */

/** A request as it arrived. */
export interface Arrived {
  method: string;
  url: string;
  headers: Headers;
  body: Uint8Array<ArrayBuffer> | string;
}

/** A pair of keys that Amazon knows. */
export interface Pair {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

const encoder = new TextEncoder();
const hex = (bytes: ArrayBuffer) =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
const sha256 = async (data: Uint8Array<ArrayBuffer> | string) =>
  hex(await crypto.subtle.digest("SHA-256", typeof data === "string" ? encoder.encode(data) : data));

async function hmac(key: Uint8Array<ArrayBuffer> | ArrayBuffer, text: string): Promise<ArrayBuffer> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", key, algorithm, false, ["sign"]);
  return await crypto.subtle.sign("HMAC", imported, encoder.encode(text));
}

const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

const wrong = (message: string) => `SignatureDoesNotMatch: ${message}`;

/**
 * Why Amazon refuses a request; `undefined` if its signature is good.
 *
 * @param now The time at Amazon, in milliseconds since 1970.
 */
export async function signatureFault(
  { method, url, headers, body }: Arrived,
  pairs: readonly Pair[],
  scope: { service: string; region: string },
  now: number,
): Promise<string | undefined> {
  const said = headers.get("authorization") ?? "";
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/
      .exec(said);
  if (!match) return "MissingAuthenticationToken: Missing Authentication Token";
  const [, id, day, region, service, names, signature] = match;
  const pair = pairs.find(({ accessKeyId }) => accessKeyId === id);
  if (!pair) return "UnrecognizedClientException: The security token included in the request is invalid.";
  if (region !== scope.region || service !== scope.service) {
    return wrong(`Credential should be scoped to ${scope.region}/${scope.service}, not ${region}/${service}`);
  }
  if ((headers.get("x-amz-security-token") ?? undefined) !== pair.sessionToken) {
    return "UnrecognizedClientException: The security token included in the request is invalid.";
  }
  const date = headers.get("x-amz-date") ?? "";
  const [, year, month, days, hours, minutes, seconds] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date) ?? [];
  const at = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(days),
    Number(hours),
    Number(minutes),
    Number(seconds),
  );
  if (!date.startsWith(day) || !(Math.abs(now - at) <= 300_000)) return wrong("Signature expired");
  const listed = names.split(";");
  const amazons = [...headers.keys()].filter((name) => name.startsWith("x-amz-"));
  const unsigned = ["host", ...amazons].find((name) => !listed.includes(name));
  if (unsigned) return wrong(`${unsigned} is not signed`);
  // Proxies on the way change them.
  const strange = listed.find((name) => name !== "host" && !name.startsWith("x-amz-"));
  if (strange) return wrong(`${strange} has changed on its way`);
  const { host, pathname, searchParams } = new URL(url);
  const query = [...searchParams].map(([name, value]) => `${encode(name)}=${encode(value)}`).sort().join("&");
  const value = (name: string) =>
    name === "host" ? host : headers.get(name)?.trim().replace(/ +/g, " ") ?? "";
  const canonical = [
    method,
    // Each segment is encoded once more.
    pathname.split("/").map(encode).join("/"),
    query,
    ...listed.map((name) => `${name}:${value(name)}`),
    "",
    names,
    headers.get("x-amz-content-sha256") ?? await sha256(body),
  ].join("\n");
  const toSign = [
    "AWS4-HMAC-SHA256",
    date,
    `${day}/${region}/${service}/aws4_request`,
    await sha256(canonical),
  ].join("\n");
  let key: ArrayBuffer | Uint8Array<ArrayBuffer> = encoder.encode(`AWS4${pair.secretAccessKey}`);
  for (const step of [day, region, service, "aws4_request"]) key = await hmac(key, step);
  return hex(await hmac(key, toSign)) === signature
    ? undefined
    : wrong("The request signature we calculated does not match the signature you provided.");
}
