/** The page at `/`. */
import { EXAMPLE_MODELS } from "../../providers/example_models.ts";

/** A page with a curl command that works without a key. */
export function home(request: Request): Response {
  const origin = URL.canParse(request.url) ? new URL(request.url).origin : "http://127.0.0.1:8787";
  const text = `Sluice: every model provider behind one OpenAI-compatible URL.

Try it, no key needed:

  curl ${origin}/v1/chat/completions \\
    -H 'content-type: application/json' \\
    -d '{"model": "demo/echo", "messages": [{"role": "user", "content": "Hello"}]}'

Then write a model as "{provider}/{model}", e.g. "${EXAMPLE_MODELS.anthropic}", and send that provider's key as
"authorization: Bearer KEY".
`;
  return new Response(text, { headers: { "content-type": "text/plain; charset=utf-8" } });
}
