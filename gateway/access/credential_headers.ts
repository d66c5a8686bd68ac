/**
 * Finds the headers of a client that hold a credential, besides those in which the table's providers take their keys.
 *
 * A credential is meant for one provider: that of the first target. Any other provider that is tried in its place gets the
 * client's headers without them. Nobody has a complete list of such headers. Two of many are `x-amz-security-token`, which
 * AWS's signers send, and `helicone-auth`. So a header is judged by the words in its name.
 */

import { remembered } from "./remembered.ts";

/**
 * Words in the names of such headers. Matches `x-auth`, `x-goog-iam-authorization-token`, `x-apikey`,
 * `x-portkey-aws-secret-access-key` and `x-bf-vk`, but not `x-max-tokens`.
 */
const WORD =
  /(?:^|[-_])(?:[a-z\d]*(?:token|secret|password|passwd)|(?:api|access|app|auth|private|secret|session|subscription)?keys?|auth(?:n|z|entication|ori[sz]ation)?|assertion|bearer|cookie|credentials?|creds?|jwt|pat|pwd|sas|sig|signature|vk)(?:[-_]|$)/;

/** Headers with a credential whose names hold none of these words. */
const NAMES = /^x-goog-iam-|^x-portkey-config$/;

/** Keys that are not credentials. */
const HARMLESS = /(?:^|[-_])(?:idempotency|cache|sort|partition|routing)[-_]key$/;

/** A value that begins with a scheme, e.g. `Bearer …`, whatever the header's name. */
const SCHEME = /^(?:aws4-hmac-sha256|basic|bearer|digest|negotiate)\s+\S/i;

const isCredentialName = remembered((name) => (WORD.test(name) && !HARMLESS.test(name)) || NAMES.test(name));

/** Whether a header, or a parameter of a query, holds a credential. Its name is in lower case. */
export const isCredential = (name: string, value: string): boolean =>
  isCredentialName(name) || SCHEME.test(value);

/** The client's headers without credentials, for a provider that they are not meant for. */
export function withoutCredentials(headers: Headers): Headers {
  const rest = new Headers(headers);
  headers.forEach((value, name) => {
    if (isCredential(name, value)) rest.delete(name);
  });
  return rest;
}
