/** A Worker that was written for the service we replace: all it knows is `env.AI`. */
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

/** Aborts after the first chunk, and tells how that ended the stream. */
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
