/** Serves `/`. */
import { EXAMPLE_MODELS } from "../../providers/example_models.ts";
import type { Config } from "../setup/config.ts";

/** A browser gets the page, any other client a curl command that works without a provider's key. */
export function home(request: Request, config: Config): Promise<Response> | Response {
  return /\btext\/html\b/i.test(request.headers.get("accept") ?? "") ? page() : text(request, config);
}

/** A module of its own, which is not loaded unless a browser asks. */
async function page(): Promise<Response> {
  const { PAGE, PAGE_POLICY } = await import("./page/page.ts");
  return new Response(PAGE, {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": PAGE_POLICY,
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cross-origin-opener-policy": "same-origin",
      "cache-control": "no-cache",
      vary: "accept",
    },
  });
}

/**
 * The gateway's address for a client. A front proxy that ends TLS asks by plain http, so the operator's own address wins over the
 * request's.
 */
export const addressFor = ({ url: asked }: Request, { url }: Config): string =>
  url ?? (URL.canParse(asked) ? new URL(asked).origin : "http://127.0.0.1:8787");

function text(request: Request, config: Config): Response {
  const { tokens } = config;
  const address = addressFor(request, config);
  const [first, token] = tokens.isRequired
    ? ["Try it, with a gateway token in the variable TOKEN:", '    -H "authorization: Bearer $TOKEN" \\\n']
    : ["Try it, no key needed:", ""];
  const told = `Sluice: every model provider behind one OpenAI-compatible URL.

${first}

  curl ${address}/v1/chat/completions \\
${token}    -H 'content-type: application/json' \\
    -d '{"model": "demo/echo", "messages": [{"role": "user", "content": "Hello"}]}'

Then write a model as "{provider}/{model}", e.g. "${EXAMPLE_MODELS.anthropic}", and send that provider's key as
"authorization: Bearer KEY".
`;
  return new Response(told, { headers: { "content-type": "text/plain; charset=utf-8", vary: "accept" } });
}
