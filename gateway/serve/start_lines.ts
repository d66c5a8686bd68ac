/** What the served form says once it listens. */

/** What is told. */
export interface Started {
  hostname: string;
  port: number;
  /** Names of the providers that have stored keys. */
  stored: readonly string[];
  /** The token that was made for this run. */
  madeToken?: string;
  /** The operator's token that was made for this run. */
  madeAdminToken?: string;
  /** Which tokens the operator set: one or several that each request needs, or some that requests may go without. */
  tokens?: "one" | "several" | "optional";
}

/** The lines: the address, its page, whose keys are stored, which token is needed, and a curl line that works as printed. */
export function startLines(started: Started): string {
  const { hostname, port, stored, madeToken, madeAdminToken, tokens } = started;
  const at = hostname.includes(":") ? `[${hostname}]` : hostname;
  // The address of any interface is none that a client can ask.
  const near = /^(0\.0\.0\.0|\[::\])$/.test(at) ? "127.0.0.1" : at;
  const url = `http://${near}:${port}`;
  const keys = stored.length === 0
    ? "none; a request brings its provider's key"
    : `${stored.join(", ")}; they serve requests with a gateway token`;
  return [
    `Sluice listens on http://${at}:${port}`,
    `Page:        ${url}/`,
    `Stored keys: ${keys}`,
    `Token:       ${tokenLine(tokens, madeToken)}`,
    ...madeAdminToken
      ? [`Operator:    ${madeAdminToken} (made for this run; SLUICE_ADMIN_TOKEN sets your own)`]
      : [],
    `Try it:      ${curl(url, tokens)}`,
  ].join("\n");
}

function tokenLine(tokens: Started["tokens"], madeToken: string | undefined): string {
  if (madeToken) return `${madeToken} (made for this run; SLUICE_TOKENS sets your own)`;
  if (tokens === "optional") return "requests that use stored keys need one of yours";
  return tokens ? "each request needs one of yours" : "none is needed";
}

/** A request that is served without a key. */
function curl(url: string, tokens: Started["tokens"]): string {
  if (tokens === "several") return `curl ${url}/health`;
  // These lines end up in logs, and tokens are secrets: the shell fills it in.
  const token = tokens === "one" ? ` -H "authorization: Bearer $SLUICE_TOKENS"` : "";
  return `curl ${url}/v1/chat/completions${token} -H 'content-type: application/json' ` +
    `-d '{"model": "demo/echo", "messages": [{"role": "user", "content": "Hello"}]}'`;
}
