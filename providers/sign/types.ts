/** The types of requests that are signed, and of credentials. */

/** Labels for the places of a base URL. A place is written in braces: `{region}`. */
export interface Places {
  /** Cloudflare's account id. */
  account?: string;
  /** Google's name for a region. */
  location?: string;
  /** The id of a model that has a host of its own. */
  model?: string;
  /** Google's project. */
  project?: string;
  /** Amazon's region. */
  region?: string;
  /** Azure's resource. */
  resource?: string;
}

/** Sends a request, as the option `fetch` does. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** A request before it is signed. */
export interface Unsigned {
  method: string;
  url: string;
  /** Names are in lower case. */
  headers: {
    get(name: string): string | null;
    set(name: string, value: string): void;
    delete(name: string): void;
  };
  /** The body as it will be sent. */
  body: Exclude<RequestInit["body"], undefined>;
  /** The labels that the path or the model names, e.g. Amazon's region, which a signature holds. */
  places?: Places;
  /** The time, in milliseconds since 1970. Default: the runtime's. */
  now?: number;
  /** Reaches whoever exchanges the key for a token. */
  fetch?: Fetch;
  /** Ends the request. A signer that waits for a token then waits no longer. */
  signal?: AbortSignal;
  /** Set if only the names of the headers are wanted, because nothing is sent: a signer then asks nobody for a token. */
  namesOnly?: true;
  /** Set by a signer that has asked for a token: the token, which no answer may repeat. */
  minted?: string;
}

/** The texts of a credential that has several, by their names. They travel as one key: as JSON. */
export interface KeySet {
  needs: readonly string[];
  /** Another set in its place, which only the operator may have. */
  or?: Pick<KeySet, "needs" | "may">;
  may?: readonly string[];
  /** Environment variables from which the provider's own tools read them. They are used only together. */
  env?: Readonly<Record<string, string>>;
  /** Headers in which clients of other gateways send the set. */
  headers?: Readonly<Record<string, string>>;
  /** The variable with the path of a file that holds the set as JSON. */
  file?: string;
  /** Whether the containers of Amazon's cloud get the set from it. */
  container?: true;
  /** Whether requests are signed with a hash of their body, which must then be read as a whole. */
  hashes?: true;
  /** Variables that show that a part of the set is meant for another way to sign in. */
  unless?: readonly string[];
}
