/** A Vertex AI that refuses what it refuses, and Google's token endpoint, which verifies signatures and counts what it mints. */
import type { Sent } from "../fakes.ts";
import type { Asked, Json } from "./lab.ts";
import { strictAnthropic } from "./strict_anthropic.ts";
import { strictGoogle } from "./strict_google.ts";

const TOKEN_URL = "https://oauth2.googleapis.com/token";

/** A service account with a key of its own. */
export interface Account {
  file: Record<string, string>;
  verify: CryptoKey;
}

/** Makes a service account as Google's console writes its file. */
export async function account(name: string, project = "my-project"): Promise<Account> {
  const { privateKey, publicKey } = await crypto.subtle.generateKey(
    {
      name: "RSASSA-PKCS1-v1_5",
      modulusLength: 2048,
      publicExponent: new Uint8Array([1, 0, 1]),
      hash: "SHA-256",
    },
    true,
    ["sign", "verify"],
  );
  const bytes = new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey));
  const base64 = btoa(String.fromCharCode(...bytes)).replace(/.{64}/g, "$&\n");
  return {
    verify: publicKey,
    file: {
      type: "service_account",
      project_id: project,
      private_key_id: `id-of-${name}`,
      private_key: `-----BEGIN PRIVATE KEY-----\n${base64}\n-----END PRIVATE KEY-----\n`,
      client_email: `${name}@${project}.iam.gserviceaccount.com`,
      client_id: "1234567890",
      auth_uri: "https://accounts.google.com/o/oauth2/auth",
      // A server of somebody else, which must never be asked.
      token_uri: "https://evil.example/token",
      universe_domain: "googleapis.com",
    },
  };
}

const decoded = (part: string) => atob(part.replaceAll("-", "+").replaceAll("_", "/"));

const refuse = (status: number, body: unknown) => Response.json(body, { status });

const invalid = (message: string, status = 400) =>
  refuse(status, {
    error: { code: status, message, status: status === 401 ? "UNAUTHENTICATED" : "INVALID_ARGUMENT" },
  });

/** A person who has signed in by gcloud. */
export const PERSON = {
  type: "authorized_user",
  client_id: "764086051850.apps.googleusercontent.com",
  client_secret: "secret-of-gcloud",
  refresh_token: "1//refresh-token-of-a-person",
  quota_project_id: "quota-project",
};

/** @param lifeSeconds How long its tokens hold. */
export function tokenEndpoint(accounts: readonly Account[], now: () => number, lifeSeconds = 3600) {
  const minted: { token: string; until: number }[] = [];
  function mintNow(): Response {
    const token = `ya29.minted-token-${minted.length + 1}`;
    minted.push({ token, until: now() + lifeSeconds * 1000 });
    return Response.json({ access_token: token, expires_in: lifeSeconds, token_type: "Bearer" });
  }
  async function mint({ method, headers, body }: Sent): Promise<Response> {
    const form = new URLSearchParams(body);
    const fault = (why: string) => refuse(400, { error: "invalid_grant", error_description: why });
    if (method !== "POST" || headers.get("content-type") !== "application/x-www-form-urlencoded") {
      return fault("not a form");
    }
    if (form.get("grant_type") === "refresh_token") {
      const members = ["client_id", "client_secret", "refresh_token"] as const;
      return members.every((name) => form.get(name) === PERSON[name])
        ? mintNow()
        : fault("Token has been expired or revoked.");
    }
    if (form.get("grant_type") !== "urn:ietf:params:oauth:grant-type:jwt-bearer") return fault("grant_type");
    const [head, claims, signature, ...more] = (form.get("assertion") ?? "").split(".");
    if (signature === undefined || more.length > 0 || /[+/=]/.test(form.get("assertion")!)) {
      return fault("no JWT");
    }
    const { alg, typ, kid } = JSON.parse(decoded(head));
    const { iss, scope, aud, iat, exp } = JSON.parse(decoded(claims));
    const found = accounts.find(({ file }) => file.client_email === iss);
    const seconds = now() / 1000;
    if (alg !== "RS256" || typ !== "JWT" || kid !== found?.file.private_key_id) {
      return fault("Invalid JWT header");
    }
    if (aud !== TOKEN_URL || scope !== "https://www.googleapis.com/auth/cloud-platform") {
      return fault("aud, scope");
    }
    if (!(exp <= iat + 3600) || Math.abs(iat - seconds) > 60) {
      return fault("Token must be a short-lived token");
    }
    const isRight = await crypto.subtle.verify(
      "RSASSA-PKCS1-v1_5",
      found!.verify,
      Uint8Array.from(decoded(signature), (char) => char.charCodeAt(0)),
      new TextEncoder().encode(`${head}.${claims}`),
    );
    if (!isRight) return fault("Invalid JWT Signature.");
    return mintNow();
  }
  return {
    minted,
    mint,
    /** Whether a token holds now. */
    knows: (token: string) => minted.some((one) => one.token === token && now() < one.until),
    /** Revokes all that was minted so far. */
    revoke: () => minted.forEach((one) => one.until = 0),
  };
}

/** `/v1beta1/projects/p/locations/l/publishers/google/models/m:generateContent` */
const PATH =
  /^\/(v1|v1beta1)\/(?:projects\/([^/]+)\/locations\/([^/]+)\/)?(?:publishers\/([^/]+)\/models|(endpoints))\/([^/:]+)(?::(\w+)|\/chat\/completions)$/;

const hostOf = (location: string) =>
  location === "global"
    ? "aiplatform.googleapis.com"
    : location === "us" || location === "eu"
    ? `aiplatform.${location}.rep.googleapis.com`
    : `${location}-aiplatform.googleapis.com`;

/** What Vertex AI does not have, of what AI Studio has. */
const ONLY_STUDIO =
  /"(?:toolCall|toolResponse|partMetadata|mediaProcessing|enableEnhancedCivicAnswers|fileSearch|includeServerSideToolInvocations|store|willContinue)":/;

const CHAT_ANSWER = {
  id: "c",
  object: "chat.completion",
  created: 1,
  choices: [{ index: 0, message: { role: "assistant", content: "Hi" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
};

/** Betas that Claude knows in a header there. */
const HEADER_BETAS: readonly string[] = [];

/**
 * Answers what Vertex AI answers.
 *
 * @param knows Whether an access token holds.
 */
export function strictVertex(knows: (token: string) => boolean) {
  const google = strictGoogle([[{ text: "Hi" }]]);
  const claude = strictAnthropic([[{ type: "text", text: "Hi" }]]);
  return async ({ url: href, method, headers, body: text }: Sent): Promise<Response> => {
    const url = new URL(href);
    const [, version, project, location, publisher, endpoints, id, verb] = PATH.exec(url.pathname) ?? [];
    if (id === undefined) return invalid(`no such path: ${url.pathname}`, 404);
    const key = headers.get("x-goog-api-key");
    const token = /^Bearer (.+)$/.exec(headers.get("authorization") ?? "")?.[1];
    const isExpress = project === undefined;
    if (isExpress ? key !== "AIza-express" || token !== undefined : key !== null || !token || !knows(token)) {
      return invalid("Request had invalid authentication credentials.", 401);
    }
    if (url.host !== hostOf(location ?? "global")) return invalid(`wrong host: ${url.host}`, 404);
    const body = JSON.parse(text) as Json;
    const asked: Asked = { url, method, headers: new Headers(headers), text, body };
    if (endpoints !== undefined && verb === undefined) {
      return id === "openapi" && version === "v1" && /^[a-z0-9-]+\/[^/]+$/.test(String(body.model))
        ? Response.json({ ...CHAT_ANSWER, model: body.model })
        : invalid("no such endpoint", 404);
    }
    if (publisher === "anthropic") return await askClaude(asked, id, verb);
    if (publisher === "mistralai" || publisher === "ai21") {
      if (body.model !== id || verb !== (body.stream ? "streamRawPredict" : "rawPredict")) {
        return invalid("model");
      }
      return Response.json({ ...CHAT_ANSWER, model: id });
    }
    return askGoogle(asked, version, id, verb);
  };

  function askGoogle(asked: Asked, version: string, id: string, verb: string): Response | Promise<Response> {
    const { body, text } = asked;
    if (verb === "predict") {
      const instances = body.instances as Json[];
      return Response.json({
        predictions: instances.map(({ content }) => ({
          embeddings: { values: [String(content).length, 1], statistics: { token_count: 3 } },
        })),
      });
    }
    if (verb === "embedContent") {
      if (!Array.isArray((body.content as Json)?.parts) || "model" in body) return invalid("content");
      return Response.json({ embedding: { values: [7, 7] }, usageMetadata: { promptTokenCount: 4 } });
    }
    if (version !== "v1beta1") return invalid("version");
    const refused = ONLY_STUDIO.exec(text);
    if (refused) return invalid(`Invalid JSON payload received. Unknown name ${refused[0]}`);
    const isThird = /gemini-(?:[3-9]|\d\d)/.test(id);
    if (!isThird && /"function(?:Call|Response)":\{"id"/.test(text)) return invalid('Unknown name "id"');
    // The rest is as at AI Studio.
    const headers = new Headers({ "x-goog-api-key": "key" });
    const behind = new URL(
      `https://generativelanguage.googleapis.com/v1beta/models/${id}:${verb}${asked.url.search}`,
    );
    const counted = verb === "countTokens" ? { generateContentRequest: body } : body;
    return google.play({ ...asked, headers, url: behind, body: counted });
  }

  async function askClaude({ headers, body, ...asked }: Asked, id: string, verb: string): Promise<Response> {
    if (headers.has("anthropic-version")) return invalid("the version is in the body");
    const strange = headers.get("anthropic-beta")?.split(",").find((beta) => !HEADER_BETAS.includes(beta));
    if (strange) return invalid(`Unexpected value(s) \`${strange}\` for the \`anthropic-beta\` header`);
    const { anthropic_version: version, anthropic_beta: betas = [], ...rest } = body;
    // Its newest SDK (1.1.3) writes the version of Anthropic's own API.
    if (!/^(?:vertex-2023-10-16|2026-10-21)$/.test(`${version}`)) {
      return invalid("anthropic_version: Field required");
    }
    const isCount = id === "count-tokens";
    if (!isCount && "model" in rest) return invalid("model: Extra inputs are not permitted");
    if (!isCount && verb !== (rest.stream ? "streamRawPredict" : "rawPredict")) return invalid("stream");
    if ((betas as string[]).some((beta) => /^(?:claude-code|files-api|advanced-tool-use)-/.test(beta))) {
      return invalid("Unexpected value(s) for anthropic_beta");
    }
    const sent = new Headers({ "x-api-key": "key", "anthropic-version": "2023-06-01" });
    if ((betas as string[]).length > 0) sent.set("anthropic-beta", (betas as string[]).join(","));
    const path = isCount ? "/v1/messages/count_tokens" : "/v1/messages";
    const model = decodeURIComponent(id).replace("@", "-");
    return await claude.play({
      ...asked,
      headers: sent,
      url: new URL(`https://api.anthropic.com${path}`),
      body: isCount ? rest : { model, ...rest },
    });
  }
}

/** Both as one network. */
export const googleCloud = (
  endpoint: ReturnType<typeof tokenEndpoint>,
  more: (token: string) => boolean = () => false,
) => {
  const vertex = strictVertex((token) => endpoint.knows(token) || more(token));
  return (sent: Sent): Response | Promise<Response> => {
    if (sent.url === TOKEN_URL) return endpoint.mint(sent);
    if (!sent.url.includes("aiplatform.")) throw new Error(`asked a stranger: ${sent.url}`);
    return vertex(sent);
  };
};
