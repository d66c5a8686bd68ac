/** Azure's columns: where its paths lead, and how clients write its deployments. */
import type { CallPath, NativePath } from "./types.ts";

/** The paths of one deployment. The rest of the API is below `openai/`. */
const OF_DEPLOYMENT = /^(?:audio|chat|completions|embeddings|images)(?:\/|$)/;

/**
 * The end of a base URL that our paths begin with. Azure's portal shows each of these: `…/openai`, `…/openai/v1`,
 * `…/openai/deployments/gpt-4o`, `…/anthropic`, `…/models`.
 */
const AZURE_END = /\/(?:models|anthropic(?:\/v1)?|openai(?:\/deployments(?:\/[^/]+)?|\/v1)?)$/;

/** `{resource}/{deployment}/chat/completions`, `{resource}/openai/responses`, `{resource}/openai/v1/responses` */
export const azureOpenAI: NativePath = (base, path) => {
  const [resource, ...rest] = path.split("/");
  if (rest.length < 2) return undefined;
  const [first, ...tail] = rest;
  const isWhole = first === "openai" && !OF_DEPLOYMENT.test(tail.join("/"));
  return {
    base: base.replace(AZURE_END, "") + (isWhole ? "" : "/openai/deployments"),
    path: rest.join("/"),
    places: { resource },
  };
};

/** `{resource}/anthropic/v1/messages`, `{resource}/openai/v1/responses`, `{resource}/models/chat/completions` */
export const azureAI: NativePath = (base, path) => {
  const [resource, ...rest] = path.split("/");
  return rest.length < 2
    ? undefined
    : { base: base.replace(AZURE_END, ""), path: rest.join("/"), places: { resource } };
};

/** The deployment of `{resource}/{deployment}` or `{deployment}`: its name holds no slash. */
export const azureDeployment = (model: string): string => model.slice(model.indexOf("/") + 1);

/**
 * `/openai/v1/…`, where the body names the deployment; or, for a version that is a date, the older paths, where the URL names
 * it for all but Responses.
 *
 * @see https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle (2026-11)
 */
export const azureCall: CallPath = ({ baseUrl, apiVersion = "v1", resource: usual }, path, model) => {
  const slash = model.indexOf("/");
  const places = { resource: slash < 0 ? usual : model.slice(0, slash) };
  const root = baseUrl.replace(AZURE_END, "");
  if (path.startsWith("/anthropic/")) return { base: root, path, places };
  const base = `${root}/openai`;
  if (apiVersion === "v1") return { base, path: `/v1${path}`, places };
  const query = `?api-version=${apiVersion}`;
  if (!/^\d/.test(apiVersion)) return { base, path: `/v1${path}${query}`, places };
  const isOfDeployment = OF_DEPLOYMENT.test(path.slice(1));
  const deployment = isOfDeployment ? `/deployments/${encodeURIComponent(azureDeployment(model))}` : "";
  return { base, path: deployment + path + query, places };
};
