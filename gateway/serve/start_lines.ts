/** The lines that the served form prints once it listens. */

/** The facts that the lines tell. */
export interface Started {
  hostname: string;
  port: number;
  /** Names of the providers that have stored keys. */
  stored: readonly string[];
  /** The gateway token that was made for this run. */
  madeToken?: string;
  /** The operator's token that was made for this run. */
  madeAdminToken?: string;
  /** The tokens that the operator set: `one` or `several` that each request needs, or `optional` ones. */
  tokens?: "one" | "several" | "optional";
}

/** The lines: address, page, providers with stored keys, needed token, and a curl command that works as printed. */
export function startLines(started: Started): string {
  const { hostname, port, stored, madeToken, madeAdminToken, tokens } = started;
  const at = hostname.includes(":") ? `[${hostname}]` : hostname;
  // A client cannot connect to the address that stands for all interfaces.
  const near = /^(0\.0\.0\.0|\[::\])$/.test(at) ? "127.0.0.1" : at;
  const url = `http://${near}:${port}`;
  const keys = stored.length === 0
    ? "none; a request brings its provider's key"
    : tokens || madeToken
    ? `${stored.join(", ")}; they serve requests with a gateway token`
    : `${stored.join(", ")}; they serve nobody: set SLUICE_TOKENS`;
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

/** A curl command that works without a provider's key. */
function curl(url: string, tokens: Started["tokens"]): string {
  if (tokens === "several") return `curl ${url}/health`;
  // The lines end up in logs, so the shell must fill in the token.
  const token = tokens === "one" ? ` -H "authorization: Bearer $SLUICE_TOKENS"` : "";
  return `curl ${url}/v1/chat/completions${token} -H 'content-type: application/json' ` +
    `-d '{"model": "demo/echo", "messages": [{"role": "user", "content": "Hello"}]}'`;
}
