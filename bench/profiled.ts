/** The gateway as `profile.ts` runs it: with a way to end, for a profile is written when a process ends by itself. */
import { createGateway } from "../mod.ts";

const upstream = Deno.env.get("UPSTREAM");
const gateway = createGateway({
  providers: {
    openai: { baseUrl: `${upstream}/v1` },
    anthropic: { baseUrl: upstream },
    "google-ai-studio": { baseUrl: `${upstream}/v1beta` },
  },
});
Deno.addSignalListener("SIGINT", () => Deno.exit(0));
Deno.serve(
  { port: Number(Deno.env.get("PORT")), hostname: "127.0.0.1", onListen: () => console.log("listening") },
  gateway.fetch,
);
