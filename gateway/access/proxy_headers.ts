/**
 * Lists of headers that proxies before the gateway set, by kind. They are never sent to a provider: some name the user, some
 * hold a token of an identity provider, and some hold the requested URL with its `?key=`.
 *
 * Headers of tracing (`traceparent`, `baggage`, `x-b3-*`) stay here too: they tell of the client's other servers, and `baggage`
 * may name a user. A row with the column `traces` gets a `traceparent`.
 *
 * Headers of SDKs are sent on (`x-stainless-*`, `anthropic-*`, `x-goog-api-client`, `x-amzn-bedrock-*`).
 *
 * The names are from the pages below, read on 2026-11-28, or from memory: the lists may hold more names than needed.
 * Netlify's are from its source (`@netlify/serverless-functions-api`).
 *
 * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/adding-cloudfront-headers.html
 * @see https://developers.cloudflare.com/fundamentals/reference/http-headers/
 * @see https://cloud.google.com/iap/docs/identity-howto
 * @see https://docs.cloud.google.com/appengine/docs/standard/reference/request-headers
 * @see https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities
 * @see https://learn.microsoft.com/azure/frontdoor/front-door-http-headers-protocol
 * @see https://oauth2-proxy.github.io/oauth2-proxy/configuration/integration
 * @see https://www.authelia.com/integration/trusted-header-sso/introduction/
 * @see https://docs.goauthentik.io/docs/providers/proxy
 * @see https://www.pomerium.com/docs/reference/pass-identity-headers
 * @see https://tailscale.com/s/serve-headers
 * @see https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_conn_man/headers
 * @see https://doc.traefik.io/traefik/v3.3/reference/routing-configuration/http/middlewares/forwardauth
 * @see https://developer.konghq.com/plugins/openid-connect/examples/headers
 * @see https://vercel.com/docs/headers/request-headers
 * @see https://fly.io/docs/networking/request-headers/
 * @see https://www.fastly.com/documentation/reference/http/http-headers/
 */
import { remembered } from "./remembered.ts";

/**
 * Names in lower case, with dashes. A `*` at the end or the beginning makes a name a prefix or a suffix.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1
 * @see https://fetch.spec.whatwg.org/#forbidden-request-header
 */
const CONNECTION = `
  accept-encoding connection content-length cookie cookie2 early-data expect from host http2-settings keep-alive max-forwards
  origin proxy proxy-* referer sec-* te trailer transfer-encoding upgrade upgrade-insecure-requests`;

/** Headers of Cloudflare and of Sluice itself. */
const OURS = "cf-* sluice-*";

const FORWARDING = `
  akamai-* ali-* c-ip cdn-* client-ip cloudfront-* cluster-client-ip coming-from do-connecting-ip eagleeye-* eo-* fastly-* fly-*
  forwarded forwarded-* front-end-https host-ip http-client-ip http-forwarded-* http-x-forwarded-* incap-* l5d-* ngrok-*
  origin-ip real-client-ip real-ip rndr-* source-ip surrogate-* true-client-ip via wl-proxy-* x-akamai-* x-amz-cf-* x-appengine-*
  x-appgw-* x-arr-* x-azure-* x-bluecoat-* x-c-ip x-cdn-* x-client-city x-client-geo-* x-client-ip x-client-proto x-client-region
  x-client-scheme x-cloudflare-* x-cluster-* x-coming-from x-country x-country-code x-custom-ip-authorization x-do-* x-edge-*
  x-envoy-* x-fd-* x-forward x-forward-* x-forwarded x-forwarded-* x-forwarder-* x-forwarding-* x-from-ip x-geo-* x-haproxy-*
  x-heroku-* x-host-ip x-incap-* x-ip x-istio-* x-lb-* x-linkerd-* x-nf-* x-ngrok-* x-now-* x-origin-* x-originating-* x-proxy
  x-proxy-* x-proxymesh-* x-proxyuser-* x-queue-start x-railway-* x-real-* x-render-* x-request-start x-scheme x-sent-from
  x-server-ip x-sigsci-* x-source-ip x-sucuri-* x-timer x-traefik-* x-true-client x-true-client-ip x-url-scheme x-varnish x-vercel-*
  x-via x-wap-profile x-caddy-* x-citrix-* x-client-rtt-* x-edgeconnect-* x-f5-* x-fastly-* x-k8se-* x-netskope-* x-ovh-*
  x-vcap-* x-zscaler-* ns-client-ip sozu-id x-cf-applicationid x-cf-instanceid x-cf-instanceindex`;

const IDENTITY = `
  client-cert client-cert-* gap-* impersonate-* iv-* oam-* oidc-* remote-* saml-* sf-context-* shib-* sm-* smuser ssl-client-*
  tailscale-* teleport-* x-access-token x-amzn-apigateway-* x-amzn-ava-* x-amzn-lambda-context x-amzn-mtls-* x-amzn-oidc-*
  x-amzn-request-context x-amzn-tls-* x-anonymous-consumer x-apigateway-* x-apigee-* x-apisix-* x-auth x-auth-* x-authenticated-*
  x-authentik-* x-client-cert x-client-cert-* x-client-certificate x-consumer-* x-credential-* x-endpoint-api-* x-goog-authenticated-user-*
  x-goog-iap-* x-grafana-id x-gravitee-* x-iap-* x-id-token x-identity-* x-impersonate-* x-jwt x-jwt-* x-keycloak-* x-kong-* x-mtls-*
  x-ms-auth-* x-ms-client-principal x-ms-client-principal-* x-ms-token-* x-oidc-* x-okta-* x-ory-* x-pomerium-* x-principal-*
  *-access-token *-assertion *-csrf-token *-id-token *-jwt *-password *-refresh-token *-secret *-session-token *-xsrf-token
  apikey cas-* coder-* ct-remote-user dpop eppn ismemberof jwt-assertion mellon-* ocp-apim-subscription-key posit-connect-*
  rstudio-connect-* shiny-server-* x-3scale-* x-amzn-lattice-* x-apikey x-apim-* x-cas-* x-clerk-* x-client-dn x-client-ssl
  x-coder-* x-email x-firebase-appcheck x-functions-key x-github-token x-grafana-* x-groups x-hasura-* x-hassio-* x-ibm-client-*
  x-ip-token x-jupyterhub-* x-mashery-* x-preferred-username x-replit-* x-roles x-sandstorm-* x-supervisor-token x-user
  x-user-email x-user-groups x-user-id x-user-name x-user-roles x-username x-wso2-*
  x-rapidapi-proxy-secret x-rapidapi-user x-refresh-token x-remote-* x-saml-* x-serverless-* x-shib-* x-spiffe-* x-ssl-* x-sso-*
  x-tailscale-* x-teleport-* x-tls-* x-token-* x-tyk-* x-user-info x-userinfo x-vouch-* x-webauth-* x-zitadel-*`;

const ROUTING = `
  disguised-host request-uri was-default-hostname x-accel-* x-appservice-proto x-backend-* x-host x-host-override x-http-host-override
  x-ingress-* x-invoke-* x-matched-path x-middleware-* x-ms-original-url x-ms-proxy x-nextjs-* x-nginx-* x-original-* x-replaced-path
  x-request-uri x-request-url x-rewrite-* x-script-name x-sendfile-* x-site-deployment-id x-upstream-* x-waws-* x-base-path x-frontend-* x-path-info x-raw-uri x-request-path x-uri x-url`;

/**
 * @see https://www.w3.org/TR/trace-context-2/, https://www.w3.org/TR/baggage/, https://github.com/openzipkin/b3-propagation
 * @see https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
 * @see https://docs.cloud.google.com/trace/docs/trace-context
 * @see https://docs.datadoghq.com/tracing/trace_collection/trace_context_propagation/
 * @see https://develop.sentry.dev/sdk/foundations/trace-propagation/
 * @see https://www.jaegertracing.io/sdk-migration/#propagation-format (2026-11)
 */
const TRACING = `
  b3 baggage elastic-apm-traceparent grpc-trace-bin newrelic ot-baggage-* ot-tracer-* sentry-trace traceparent traceresponse tracestate
  uber-trace-id uberctx-* x-amzn-trace-id x-b3-* x-cloud-trace-context x-datadog-* x-instana-* x-ot-span-context`;

/**
 * Headers of an answer that a front server obeys, and headers that only the gateway may set. `fly-replay`, for example, makes
 * Fly's proxy send the request, with its tokens, to another app.
 *
 * @see https://fly.io/docs/networking/dynamic-request-routing/
 */
const OBEYED =
  "cf-aig-* fly-replay* refresh sluice-* x-accel-* x-lighttpd-* x-reproxy-* x-sendfile x-sendfile-* x-sendfile2";

/** Makes a function that tells whether a name in lower case is in one of the lists. */
function among(...lists: string[]): (name: string) => boolean {
  const words = lists.flatMap((list) => list.trim().split(/\s+/));
  const names = new Set(words.filter((word) => !word.endsWith("*")));
  const prefixes = words.filter((word) => word.endsWith("*")).map((word) => word.slice(0, -1));
  const suffixes = words.filter((word) => word.startsWith("*")).map((word) => word.slice(1));
  const begins = new RegExp(`^(?:${prefixes.join("|")})`);
  const ends = (name: string) => suffixes.some((suffix) => name.endsWith(suffix));
  return remembered((name) => {
    // Some servers also read `x_forwarded_for`.
    const dashed = name.replaceAll("_", "-");
    return names.has(dashed) || begins.test(dashed) || ends(dashed);
  });
}

/** Whether a client's header is not sent to providers. The name is in lower case. */
export const staysHere: (name: string) => boolean = among(
  CONNECTION,
  OURS,
  FORWARDING,
  IDENTITY,
  ROUTING,
  TRACING,
);

/** Whether a front server would obey a provider's header, or a client read it as the gateway's. The name is in lower case. */
export const isObeyed: (name: string) => boolean = among(OBEYED);

/** Whether a query parameter belongs to a proxy before the gateway, e.g. `x-vercel-protection-bypass`. */
export function isProxyParam(name: string): boolean {
  const lower = name.toLowerCase();
  return /^_{0,2}(?:cf|vercel)[_-]|^sluice-/.test(lower) || (lower.startsWith("x-") && staysHere(lower));
}
