import { assert, assertEquals } from "@std/assert";
import { ask, before, chunk, completion, events, message, post, ROOT } from "../../fakes.ts";

/** Headers from the pages that gateway/access/proxy_headers.ts names, and headers in which programs look for a client's address. */
const STAY = `
accept-encoding connection content-length cookie cookie2 early-data expect from http2-settings keep-alive max-forwards origin proxy
proxy-authenticate proxy-authorization proxy-client-ip proxy-connection proxy-host referer sec-ch-ua sec-fetch-mode te trailer
transfer-encoding upgrade upgrade-insecure-requests
cf-access-client-id cf-access-client-secret cf-access-jwt-assertion cf-access-token cf-aig-metadata cf-connecting-ip cf-ew-via
cf-ipcountry cf-ray cf-visitor cf-worker sluice-strict sluice-fallback
akamai-origin-hop ali-cdn-real-ip c-ip cdn-loop cdn-requestid client-ip cloudfront-forwarded-proto cloudfront-viewer-address
cloudfront-viewer-country cluster-client-ip coming-from do-connecting-ip eagleeye-traceid eo-connecting-ip fastly-client-ip
fastly-ff fastly-ssl fly-client-ip fly-forwarded-port fly-region forwarded forwarded-for forwarded-for-ip forwarded-host
front-end-https host-ip http-client-ip http-forwarded-for-ip http-x-forwarded-for incap-client-ip l5d-client-id
ngrok-auth-user-email origin-ip real-client-ip real-ip rndr-id source-ip surrogate-capability true-client-ip via
wl-proxy-client-ip x-akamai-edgescape x-amz-cf-id x-appengine-user-email x-appengine-user-ip x-appgw-trace-id x-arr-clientcert
x-arr-log-id x-arr-ssl x-azure-clientip x-azure-fdid x-azure-ref x-azure-requestchain x-azure-socketip x-bluecoat-via x-c-ip
x-cdn-src-ip x-client-city x-client-geo-location x-client-ip x-client-proto x-client-region x-client-scheme x-cluster-client-ip
x-coming-from x-country x-country-code x-custom-ip-authorization x-do-orig-status x-envoy-attempt-count
x-envoy-decorator-operation x-envoy-external-address x-envoy-original-path x-envoy-peer-metadata x-fd-healthprobe x-forward-for
x-forwarded x-forwarded-access-token x-forwarded-by x-forwarded-client-cert x-forwarded-email x-forwarded-for x-forwarded-groups
x-forwarded-host x-forwarded-method x-forwarded-port x-forwarded-preferred-username x-forwarded-prefix x-forwarded-proto
x-forwarded-server x-forwarded-tls-client-cert x-forwarded-tls-client-cert-info x-forwarded-uri x-forwarded-user x-forwarder-for
x-forwarding-for x-from-ip x-geo-country x-haproxy-server-state x-heroku-queue-depth x-host-ip x-incap-client-ip x-ip
x-istio-attributes x-lb-ip x-linkerd-id x-nf-account-id x-nf-client-connection-ip x-nf-request-id x-ngrok-id x-now-id
x-origin-host x-originating-ip x-proxy-user x-proxymesh-ip x-proxyuser-ip x-queue-start x-railway-edge x-real-client-ip x-real-ip
x-real-port x-render-id x-request-start x-scheme x-sent-from x-server-ip x-sigsci-agentresponse x-source-ip x-sucuri-clientip
x-timer x-traefik-router x-true-client-ip x-url-scheme x-varnish x-vercel-forwarded-for x-vercel-id x-vercel-ip-country
x-vercel-oidc-token x-vercel-protection-bypass x-vercel-proxied-for x-vercel-proxy-signature x-vercel-sc-headers x-via x-wap-profile
client-cert client-cert-chain gap-auth gap-signature impersonate-group impersonate-user iv-creds iv-user oam-remote-user
oidc-access-token oidc-claim-sub remote-addr remote-email remote-groups remote-ip remote-name remote-user saml-subject
sf-context-current-user shib-identity-provider sm-user smuser ssl-client-cert ssl-client-subject-dn ssl-client-verify
tailscale-app-capabilities tailscale-user-login tailscale-user-name tailscale-user-profile-pic teleport-jwt-assertion x-access-token
x-amzn-apigateway-api-id x-amzn-ava-user-context x-amzn-lambda-context x-amzn-mtls-clientcert x-amzn-mtls-clientcert-leaf
x-amzn-oidc-accesstoken x-amzn-oidc-data x-amzn-oidc-identity x-amzn-request-context x-amzn-tls-cipher-suite x-amzn-tls-version
x-anonymous-consumer x-apigateway-api-userinfo x-apigee-user x-apisix-user x-auth x-auth-email x-auth-groups x-auth-request-access-token
x-auth-request-email x-auth-request-groups x-auth-request-preferred-username x-auth-request-redirect x-auth-request-user x-auth-roles
x-auth-subject x-auth-token x-auth-userid x-auth-username x-authenticated-groups x-authenticated-scope x-authenticated-userid
x-authentik-email x-authentik-entitlements x-authentik-groups x-authentik-jwt x-authentik-meta-app x-authentik-name x-authentik-uid
x-authentik-username x-client-cert x-client-cert-dn x-client-certificate x-consumer-custom-id x-consumer-groups x-consumer-id
x-consumer-username x-credential-identifier x-credential-username x-endpoint-api-userinfo x-goog-authenticated-user-email
x-goog-authenticated-user-id x-goog-iap-jwt-assertion x-grafana-id x-gravitee-request-id x-iap-user x-id-token x-identity-token
x-impersonate-user x-jwt x-jwt-assertion x-keycloak-user x-kong-request-id x-mtls-subject x-ms-auth-token x-ms-client-principal
x-ms-client-principal-id x-ms-client-principal-idp x-ms-client-principal-name x-ms-token-aad-access-token x-ms-token-aad-id-token
x-ms-token-google-access-token x-oidc-user x-okta-user x-ory-session x-pomerium-claim-email x-pomerium-jwt-assertion
x-pomerium-jwt-assertion-for x-principal-id x-rapidapi-proxy-secret x-rapidapi-user x-refresh-token x-remote-addr x-remote-extra-scopes
x-remote-group x-remote-user x-saml-user x-serverless-authorization x-shib-user x-spiffe-id x-ssl-client-cert x-ssl-client-verify
x-sso-user x-tailscale-user x-teleport-user x-tls-client-cert x-token-subject x-token-user-email x-token-user-roles x-tyk-authorization
x-user-info x-userinfo x-vouch-idp-accesstoken x-vouch-user x-webauth-email x-webauth-user x-zitadel-user
disguised-host request-uri was-default-hostname x-accel-internal x-accel-mapping x-appservice-proto x-backend-host x-host
x-host-override x-http-host-override x-ingress-path x-invoke-path x-matched-path x-middleware-rewrite x-middleware-subrequest
x-ms-original-url x-ms-proxy x-nextjs-data x-nginx-proxy x-original-forwarded-for x-original-host x-original-method x-original-uri
x-original-url x-replaced-path x-request-uri x-request-url x-rewrite-url x-script-name x-sendfile-type x-site-deployment-id
x-upstream-host x-waws-unencoded-url
apikey cas-user coder-session-token ct-remote-user dpop eppn ismemberof jwt-assertion mellon-name-id ns-client-ip
ocp-apim-subscription-key posit-connect-user-session-token rstudio-connect-credentials shiny-server-credentials sozu-id
x-3scale-proxy-secret-token x-amzn-lattice-identity x-apikey x-apim-user x-base-path x-caddy-forwarded x-cas-user
x-cf-applicationid x-citrix-via x-clerk-auth-status x-client-dn x-client-rtt-msec x-client-ssl x-coder-user
x-edgeconnect-session-id x-email x-f5-id x-fastly-client-ip x-firebase-appcheck x-frontend-ssl x-functions-key
x-github-token x-grafana-user x-groups x-hassio-key x-hasura-admin-secret x-hasura-user-id x-ibm-client-secret x-ip-token
x-jupyterhub-user x-k8se-app x-mashery-message-id x-my-secret x-netskope-user x-ovh-id x-parse-session-token x-path-info
x-preferred-username x-raw-uri x-replit-user-id x-request-path x-roles x-sandstorm-user-id x-supervisor-token x-uri x-url
x-user x-user-email x-user-id x-user-name x-username x-vcap-request-id x-wso2-jwt x-xsrf-token x-zscaler-user
x_forwarded_for cf_connecting_ip oidc_claim_email remote_user
traceparent tracestate baggage b3 x-b3-traceid x-b3-sampled x-amzn-trace-id x-cloud-trace-context x-datadog-trace-id
x-datadog-sampling-priority sentry-trace uber-trace-id uberctx-user elastic-apm-traceparent newrelic grpc-trace-bin ot-tracer-spanid
x-instana-t`.trim().split(/\s+/);

/** Headers that SDKs send. */
const GO = `
accept accept-language content-encoding content-type user-agent idempotency-key range if-none-match
anthropic-beta anthropic-client-platform anthropic-dangerous-direct-browser-access anthropic-version x-app x-claude-code-session-id
openai-beta openai-conversation-id openai-organization openai-project x-client-name x-client-request-id x-client-version
x-stainless-arch x-stainless-async x-stainless-helper-method x-stainless-lang x-stainless-os x-stainless-package-version
x-stainless-retry-count x-stainless-runtime x-stainless-runtime-version x-stainless-timeout
x-goog-api-client x-goog-request-params x-goog-upload-command x-goog-upload-protocol x-goog-user-project x-server-timeout
x-amz-content-sha256 x-amz-date x-amz-security-token x-amz-target x-amz-user-agent amz-sdk-invocation-id amz-sdk-request
x-amzn-bedrock-accept x-amzn-bedrock-guardrailidentifier x-amzn-bedrock-guardrailversion x-amzn-bedrock-performanceconfig-latency
x-amzn-bedrock-service-tier x-amzn-bedrock-trace
x-ms-client-request-id x-ms-useragent x-ms-return-client-request-id extra-parameters azureml-model-deployment
x-request-id request-id x-correlation-id http-referer x-title x-initiator x-session-id x-api-version editor-version
copilot-integration-id x-dashscope-sse x-fal-runner-hint x-fal-object-lifecycle-preference cartesia-version x-dg-feature
ai-gateway-protocol-version ai-model-id ai-o11y-deployment-id helicone-auth x-portkey-config x-wait-for-model x-use-cache
x-hf-bill-to prefer x-openwebui-user-id x-user-agent x-project-id x-team x-own`.trim().split(/\s+/);

const filled = (names: string[]) => Object.fromEntries(names.map((name) => [name, `value-of-${name}`]));

Deno.test("headers of proxies before the gateway, and of tracing, go to no provider, on any path", async () => {
  const { fetch, sent } = before(({ url }) => url.includes("anthropic") ? message() : completion());
  const headers = {
    ...filled(STAY),
    "content-type": "application/json",
    origin: "http://localhost:3000",
    "sluice-strict": "false",
    "sluice-fallback": "",
  };
  const { upgrade: _, "transfer-encoding": _te, "content-length": _cl, connection: _c, ...over } =
    headers as Record<string, string>;
  const step = (name: string) => ({
    provider: "openai",
    endpoint: "chat/completions",
    headers: { [name]: "value-of" },
    query: {},
  });
  const stepNames = STAY.filter((name) =>
    !["connection", "content-length", "te", "transfer-encoding", "upgrade"].includes(name)
  )
    .filter((name) => !/^(cf-aig|sluice)-/.test(name));
  for (
    const request of [
      ask("openai/m", over),
      ask("anthropic/m", over),
      post(`${ROOT}/openai/chat/completions`, {}, {
        ...over,
        "transfer-encoding": "x",
        "content-length": "2",
      }),
      post(ROOT, step("x-own"), { ...over, "x-step": "1" }),
      ...stepNames.map((name) => post(ROOT, step(name))),
    ]
  ) {
    assertEquals((await fetch(request)).status, 200);
    for (const name of STAY) assertEquals(sent.at(-1)!.headers.get(name), null, name);
    const kept = [...sent.at(-1)!.headers].filter(([, value]) => value.includes("value-of"));
    assertEquals(kept, request.headers.has("x-step") ? [["x-own", "value-of"]] : []);
  }
  assertEquals(sent.length, 4 + stepNames.length);
});

Deno.test("headers of SDKs go on, on any path", async () => {
  const { fetch, sent } = before(() => completion());
  const { "content-type": _, "content-encoding": _ce, ...go } = filled(GO) as Record<string, string>;
  for (
    const request of [
      ask("openai/m", go),
      post(`${ROOT}/openai/chat/completions`, {}, go),
      post(ROOT, { provider: "openai", endpoint: "x", headers: go, query: {} }),
    ]
  ) {
    assertEquals((await fetch(request)).status, 200);
    for (const [name, value] of Object.entries(go)) {
      // Anthropic's own headers: in a translated call they are sent to Anthropic only.
      const isOthers = request.url.endsWith("/compat/chat/completions") &&
        /^(?:anthropic|x-claude-code)-/.test(name);
      assertEquals(sent.at(-1)!.headers.get(name), isOthers ? null : value, name);
    }
  }
});

Deno.test("parameters of proxies before the gateway go to no provider, and other parameters do", async () => {
  const { fetch, sent } = before(() => completion());
  const stay =
    "x-vercel-protection-bypass=s&_vercel_share=s&__cf_chl_tk=s&CF-Access-Token=s&cf_clearance=s&x-forwarded-for=s&" +
    "X%2DMs-Token-Aad-Access-Token=s&sluice-strict=true&cf-aig-cache-ttl=1";
  const go =
    "key=mine&alt=sse&X-Amz-Signature=s&x-goog-signature=s&via=s&origin=s&host=s&from=s&_a=1&cfg=1&a=%zz&a&=&vercel=1";
  const path = "v1beta/models/g:generateContent";
  const host = "https://generativelanguage.googleapis.com/";
  for (const query of [`?${stay}&${go}`, `?${go}&${stay}`]) {
    await fetch(post(`${ROOT}/google-ai-studio/${path}${query}`, {}));
    await fetch(post(ROOT, { provider: "google-ai-studio", endpoint: path + query, query: {} }));
  }
  assertEquals(sent.map(({ url }) => url), Array(4).fill(`${host}${path}?${go}`));
  await fetch(post(`${ROOT}/google-ai-studio/${path}?${stay}`, {}));
  assertEquals(sent.at(-1)!.url, host + path);
});

Deno.test("a client that invents names does not make the gateway hold them", async () => {
  const { fetch, sent } = before(() => completion());
  for (let round = 0; round < 30; round++) {
    const names = Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`x-name-${round}-${at}`, "1"]));
    await fetch(
      post(`${ROOT}/openai/x`, {}, { ...names, "x-forwarded-late": "1", [`x-forwarded-${round}`]: "1" }),
    );
    assertEquals([...sent.at(-1)!.headers.keys()].filter((name) => name.startsWith("x-name-")).length, 100);
    assertEquals([...sent.at(-1)!.headers.keys()].filter((name) => name.startsWith("x-forwarded-")), []);
  }
});

// ---------------------------------------------------------------- headers of answers

Deno.test("headers that a front server obeys, or that only the gateway may set, are not passed on from a provider", async () => {
  const stay = filled(
    `clear-site-data content-security-policy content-security-policy-report-only nel report-to reporting-endpoints set-cookie
    set-cookie2 upgrade trailer proxy-authenticate proxy-connection alt-svc strict-transport-security keep-alive
    fly-replay fly-replay-cache refresh x-accel-redirect x-accel-buffering x-accel-charset x-accel-expires x-accel-limit-rate x-sendfile x-sendfile2 x-sendfile-type
    x-lighttpd-send-file x-reproxy-url cf-aig-cache-status cf-aig-key sluice-dropped sluice-missing sluice-anything
    access-control-allow-origin access-control-expose-headers`.split(/\s+/),
  );
  const go = filled(
    "x-request-id request-id retry-after x-ratelimit-limit-requests anthropic-ratelimit-tokens-limit openai-processing-ms cf-ray etag server"
      .split(" "),
  );
  const headers = { ...stay, ...go, "content-type": "application/json" };
  for (const status of [200, 400]) {
    const body = status === 200 ? await completion().text() : '{"error":{"message":"no"}}';
    const { fetch } = before(() => new Response(body, { status, headers }));
    for (const request of [ask("openai/m"), ask("anthropic/m"), post(`${ROOT}/openai/x`, {})]) {
      const response = await fetch(request);
      for (const [name, value] of Object.entries(stay)) assert(response.headers.get(name) !== value, name);
      for (const [name, value] of Object.entries(go)) assertEquals(response.headers.get(name), value, name);
    }
  }
});

Deno.test("native answers are not sniffed by browsers", async () => {
  for (const status of [200, 204, 302, 404]) {
    const { fetch } = before(() =>
      new Response(null, { status, headers: { "x-content-type-options": "sniff" } })
    );
    for (
      const request of [
        post(`${ROOT}/openai/x`, {}),
        post(ROOT, { provider: "openai", endpoint: "x", query: {} }),
      ]
    ) {
      assertEquals((await fetch(request)).headers.get("x-content-type-options"), "nosniff");
    }
  }
});

Deno.test("a redirect's location is passed on only if it is at the provider's own origin", async () => {
  const own = ["https://api.openai.com/v1/y?z=1", "https://API.openai.com:443/y", "/v1/y", "y", "?a", ""];
  const foreign = [
    "https://elsewhere.test/x",
    "http://api.openai.com/v1/y",
    "https://api.openai.com:8443/v1/y",
    "https://api.openai.com.evil.test/",
    "https://evil.test\\@api.openai.com/",
    "//elsewhere.test/x",
    "\\\\elsewhere.test/x",
    "/\\elsewhere.test/x",
    "javascript:alert(1)",
    "data:text/html,x",
    "https://",
    "http://[",
  ];
  for (const status of [300, 301, 302, 303, 307, 308]) {
    for (const [list, kept] of [[own, true], [foreign, false]] as const) {
      for (const location of list) {
        const { fetch } = before(() => new Response("moved", { status, headers: { location } }));
        for (
          const request of [
            post(`${ROOT}/openai/x`, {}),
            post(ROOT, { provider: "openai", endpoint: "x", query: {} }),
          ]
        ) {
          const response = await fetch(request);
          const seen = [response.status, response.headers.get("location"), await response.text()];
          assertEquals(seen, [status, kept ? location : null, "moved"], location);
        }
      }
    }
  }
  // The location of a resource that was created.
  const { fetch } = before(() =>
    new Response("{}", { status: 201, headers: { location: "https://elsewhere.test/x" } })
  );
  assertEquals(
    (await fetch(post(`${ROOT}/openai/x`, {}))).headers.get("location"),
    "https://elsewhere.test/x",
  );
});

Deno.test("staysHere() does not cache long names, because clients choose them", async () => {
  const module = new URL("../../../gateway/access/proxy_headers.ts", import.meta.url);
  const program = `
    import { staysHere } from "${module}";
    for (let at = 0; at < 1000; at++) staysHere("x-" + at + "n".repeat(60_000));
    gc();
    console.log(Deno.memoryUsage().heapUsed);
  `;
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(path, program);
  const args = ["run", "--no-check", "--allow-read", "--v8-flags=--expose-gc", path];
  const { stdout } = await new Deno.Command(Deno.execPath(), { args }).output();
  await Deno.remove(path);
  const heap = Number(new TextDecoder().decode(stdout));
  // All names together have 60 MB.
  assert(heap > 0 && heap < 20_000_000, `${heap} bytes`);
});

Deno.test("a stream of events tells nginx to pass it on as it comes, on any path, and another answer does not", async () => {
  const stream = [chunk({ content: "Hi" }, "stop"), "data: [DONE]\n\n"];
  const claude = 'event: message_start\ndata: {"type":"message_start","message":{"id":"m","usage":{}}}\n\n';
  const { fetch } = before(({ url, body }) => {
    const answer = !body.includes('"stream":true')
      ? url.includes("anthropic") ? message() : completion()
      : events(...url.includes("anthropic") ? [claude] : stream);
    answer.headers.set("x-accel-buffering", "yes");
    return answer;
  }, { providers: { mine: { baseUrl: "https://mine.test", conform: true } } });
  const requests = (more: object) => [
    ask("openai/m", {}, more),
    ask("openai/m", { "cf-aig-max-attempts": "2" }, more),
    ask("anthropic/m", {}, more),
    ask("mine/m", {}, more),
    ask("demo/echo", {}, more),
    post(`${ROOT}/openai/chat/completions`, more),
    post(ROOT, { provider: "openai", endpoint: "chat/completions", query: more }),
  ];
  for (const [more, expected] of [[{ stream: true }, "no"], [{}, null]] as const) {
    for (const request of requests(more)) {
      const response = await fetch(request);
      assertEquals(response.headers.get("x-accel-buffering"), expected, request.url);
      await response.body!.cancel();
    }
  }
});
