/** A Worker that was written for Cloudflare. It uses only `env.AI`, as it is or wrapped. */
import { ai } from "../../ai.ts";

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/v1/")) return await env.SLUICE.fetch(request);
    const { data, options } = await request.json();
    switch (pathname) {
      case "/run":
        return await env.AI.gateway("default").run(data, options);
      case "/url":
        return new Response(await env.AI.gateway("default").getUrl("openai"));
      case "/cancel": {
        const { body } = await env.AI.gateway("default").run(data);
        const reader = body.getReader();
        await reader.read();
        await reader.cancel();
        return new Response("cancelled");
      }
      case "/wrapped": {
        const AI = ai(env.AI);
        const before = AI.aiGatewayLogId;
        const response = await AI.gateway("default").run(data, {
          ...options,
          signal: AbortSignal.timeout(60_000),
        });
        return Response.json({
          before,
          log: AI.aiGatewayLogId,
          header: response.headers.get("cf-aig-log-id"),
          step: response.headers.get("cf-aig-step"),
          url: await AI.gateway("default").getUrl("openai"),
          body: await response.json(),
        });
      }
      case "/wrapped/signal":
        return await untilFirstChunk((signal) => ai(env.AI).gateway("default").run(data, { signal }));
      case "/wrapped/run": {
        const [model, inputs] = data;
        return Response.json(await ai(env.AI).run(model, inputs, options).catch(String));
      }
      case "/wrapped/run/signal": {
        const [model, inputs] = data;
        return await untilFirstChunk(async (signal) => ({
          body: await ai(env.AI).run(model, inputs, { signal }),
        }));
      }
      case "/rpc/run":
        return Response.json(await env.AI.run(...data));
      case "/rpc/log":
        return new Response(await Promise.resolve(env.AI.aiGatewayLogId).catch(String));
      case "/signal":
        return await untilFirstChunk((signal) => env.AI.gateway("default").run(data, { signal }));
      case "/fetch":
        return await untilFirstChunk((signal) =>
          env.AI.fetch("http://sluice/v1/-/default", {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify(data),
            signal,
          })
        );
    }
  },
};

/** Aborts after the first chunk, and returns the error by which the stream ended. */
async function untilFirstChunk(call) {
  const controller = new AbortController();
  try {
    const { body } = await call(controller.signal);
    const reader = body.getReader();
    await reader.read();
    controller.abort(new Error("enough"));
    while (!(await reader.read()).done);
    return new Response("a clean end");
  } catch (error) {
    return new Response(`${error.name}: ${error.message}`);
  }
}
