/** Reads the URLs of stores. */

/** What a store keeps: rows, cached answers, or counts. */
export type Role = "sql" | "kv" | "counters";

export type Kind = "sqlite" | "postgres" | "redis";

/** The kinds of stores, and the roles that each fills. */
export const KINDS: Readonly<Record<Kind, readonly Role[]>> = {
  sqlite: ["sql", "kv", "counters"],
  postgres: ["sql", "kv", "counters"],
  redis: ["kv", "counters"],
};

/** The kinds by the beginning of their URLs. */
const SCHEMES: ReadonlyMap<string, Kind> = new Map([
  ["sqlite", "sqlite"],
  ["postgres", "postgres"],
  ["postgresql", "postgres"],
  ["redis", "redis"],
  ["rediss", "redis"],
]);

/** A store's URL in parts. */
export interface StoreUrl {
  kind: Kind;
  /** The path of a file, or the URL of a server. */
  place: string;
  /** The same, for people: without a password. */
  shown: string;
  /** What must not be told of it. */
  secrets: readonly string[];
}

/**
 * Reads URLs of stores, with commas between them: `sqlite:sluice.db`, `sqlite:///var/lib/sluice.db`,
 * `postgres://user:password@host:5432/database`.
 *
 * @throws TypeError whose message continues "Cannot use NAME: ". It quotes nothing that may hold a secret.
 */
export function readStoreUrls(urls: string): StoreUrl[] {
  // A path and a list of hosts may hold a comma.
  const all = urls.split(/,(?=\s*(?:[a-z][a-z0-9+.-]*:\/\/|sqlite:))/).map(readStoreUrl);
  const missing = new Set<Role>(["sql", "kv", "counters"]);
  for (const { kind } of all) {
    const found = KINDS[kind].filter((role) => missing.delete(role));
    if (found.length > 0) continue;
    throw new TypeError(`nothing would use ${kind}: the stores before it in the list do all that it can do`);
  }
  return all;
}

function readStoreUrl(url: string): StoreUrl {
  const [, scheme, rest] = /^([a-z][a-z0-9+.-]*):(.*)$/s.exec(url.trim()) ?? [];
  if (scheme === undefined) {
    throw new TypeError(`it must be a URL such as sqlite:sluice.db, and names no kind of store`);
  }
  const kind = SCHEMES.get(scheme);
  if (!kind) {
    const names = [...SCHEMES.keys()].join(", ");
    throw new TypeError(
      `there is no kind of store named ${JSON.stringify(scheme)}; it must be one of ${names}`,
    );
  }
  if (kind !== "sqlite") return readServerUrl(kind, url.trim());
  const path = rest.replace(/^\/\//, "");
  if (path === "" || /[?#\0]/.test(path)) {
    throw new TypeError("it must be sqlite: and the path of a file, without ? and #");
  }
  return { kind, place: path, shown: path, secrets: [] };
}

/** A place in a URL where a password stands, and what stands there. */
const PASSWORDS = /(?<=^[a-z+]+:\/\/[^/?#@]*?:)[^/?#]*(?=@)|(?<=[?&](?:password|pass)=)[^&#]*/g;

function readServerUrl(kind: Kind, url: string): StoreUrl {
  const shown = url.replaceAll(PASSWORDS, "***");
  // Postgres takes a list of hosts, which is not a URL elsewhere.
  const [, rest] = /^[a-z+]+:\/\/((?:[^/?#@]*@)?[^@/?#\s]+(?:[/?][^\s#@]*)?)$/.exec(url) ?? [];
  if (rest === undefined) {
    throw new TypeError(
      `it must be ${kind}://user:password@host:port/database; write %40, %2F and the like for other characters in the ` +
        "password",
    );
  }
  const passwords = url.match(PASSWORDS) ?? [];
  return {
    kind,
    place: url,
    shown,
    secrets: [...passwords, ...passwords.map(decoded)].filter((text) => text !== ""),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A text without the secrets of a URL. */
export const masked = (text: string, { secrets, place, shown }: StoreUrl) =>
  secrets.reduce((masked, secret) => masked.replaceAll(secret, "***"), text.replaceAll(place, shown));
