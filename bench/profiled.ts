/** The gateway for `profile.ts`. It can be told to end, because a profile is written only when a process ends by itself. */
import { createGateway, type Gateway } from "../mod.ts";
import { serveOne } from "./floor.ts";

let gateway: Gateway | undefined;

serveOne((request, { UPSTREAM }) => {
  gateway ??= createGateway({
    providers: {
      openai: { baseUrl: `${UPSTREAM}/v1` },
      anthropic: { baseUrl: UPSTREAM },
      "google-ai-studio": { baseUrl: `${UPSTREAM}/v1beta` },
    },
  });
  return gateway.fetch(request);
});

interface Process {
  on(signal: string, listener: () => void): void;
  exit(code: number): never;
}
const { process } = globalThis as unknown as { process: Process };
process.on("SIGINT", () => process.exit(0));
console.log("listening");
