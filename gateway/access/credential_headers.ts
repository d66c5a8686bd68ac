/**
 * Which headers of a client hold a credential, besides those that a provider of the table takes its key in.
 *
 * A credential is meant for one provider: that of the first target. Any other provider that is tried in its place gets the
 * client's headers without them. A header is judged by the words in its name, because there is no complete list of such
 * headers: `x-amz-security-token` of AWS's signers and `helicone-auth` are two of many.
 */

/** e.g. `x-auth`, `x-goog-iam-authorization-token`, `x-apikey`, `x-portkey-aws-secret-access-key`, `x-bf-vk`; not `x-max-tokens` */
const WORD =
  /(?:^|[-_])(?:[a-z\d]*(?:token|secret|password|passwd)|(?:api|access|app|auth|private|secret|session|subscription)?keys?|auth(?:n|z|entication|ori[sz]ation)?|assertion|bearer|cookie|credentials?|creds?|jwt|pat|pwd|sas|sig|signature|vk)(?:[-_]|$)/;

/** Whose words tell nothing. */
const NAMES = /^x-goog-iam-|^x-portkey-config$/;

/** Keys that open nothing. */
const HARMLESS = /(?:^|[-_])(?:idempotency|cache|sort|partition|routing)[-_]key$/;

/** e.g. `Bearer …`, in a header of any name */
const SCHEME = /^(?:aws4-hmac-sha256|basic|bearer|digest|negotiate)\s+\S/i;

/** Whether a header, its name in lower case, holds a credential. */
const isCredential = (name: string, value: string): boolean =>
  (WORD.test(name) && !HARMLESS.test(name)) || NAMES.test(name) || SCHEME.test(value);

/** A client's headers for a provider that its credentials are not meant for. */
export function withoutCredentials(headers: Headers): Headers {
  const rest = new Headers(headers);
  headers.forEach((value, name) => {
    if (isCredential(name, value)) rest.delete(name);
  });
  return rest;
}
