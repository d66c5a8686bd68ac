/** The operations of Cloudflare's REST API that show the options. */
import * as answers from "./answers.ts";
import { json, type Operation } from "./operation.ts";

const ROOT = "/client/v4/accounts/{account_id}/ai-gateway";
const GATEWAY = `${ROOT}/gateways/{gateway_id}`;

const PAGING = {
  page: "The page, from 1.",
  per_page: "Things on a page, from 1 to 100. Default 20.",
  search: "A text that the id must hold.",
};

const one = { tag: "Logs", answer: json(answers.ENVELOPE) } as const;
const list = { tag: "Logs", answer: json(answers.ENVELOPE_OF_LIST) } as const;

/** The options are set where the gateway is started. */
const refused = {
  tag: "Logs",
  summary: "Is refused, with the name of the option",
  status: 400,
  answer: json(answers.REST_ERROR),
} as const;

export const MANAGEMENT_OPERATIONS: readonly Operation[] = [
  {
    ...list,
    ...{ method: "get", path: `${ROOT}/gateways`, id: "listGateways" },
    summary: "The gateways that had requests",
    query: PAGING,
  },
  {
    ...one,
    ...{ method: "post", path: `${ROOT}/gateways`, id: "createGateway" },
    summary: "Makes a gateway, if that changes no option",
    example: { id: "default" },
  },
  {
    ...one,
    ...{ method: "get", path: GATEWAY, id: "getGateway" },
    summary: "A gateway, with the options that Cloudflare has too",
  },
  {
    ...one,
    ...{ method: "put", path: GATEWAY, id: "updateGateway" },
    summary: "Changes a gateway, if that changes no option",
    example: { id: "default" },
  },
  { ...refused, ...{ method: "delete", path: GATEWAY, id: "deleteGateway" } },
  {
    tag: "Logs",
    answer: json(answers.ENVELOPE_OF_TEXT),
    ...{ method: "get", path: `${GATEWAY}/url/{id}`, id: "getProviderUrl" },
    summary: "The base URL of a provider's own paths",
  },
  {
    ...list,
    ...{ method: "get", path: `${GATEWAY}/provider_configs`, id: "listProviderConfigs" },
    summary: "The providers with stored keys, without the keys",
    query: { page: PAGING.page, per_page: PAGING.per_page },
  },
  { ...refused, ...{ method: "post", path: `${GATEWAY}/provider_configs`, id: "createProviderConfig" } },
  {
    ...list,
    ...{ method: "get", path: `${ROOT}/custom-providers`, id: "listCustomProviders" },
    summary: "The providers of the options that the table does not have",
    query: PAGING,
  },
  { ...refused, ...{ method: "post", path: `${ROOT}/custom-providers`, id: "createCustomProvider" } },
  {
    ...one,
    ...{ method: "get", path: `${ROOT}/custom-providers/{id}`, id: "getCustomProvider" },
    summary: "One of these providers",
  },
  { ...refused, ...{ method: "patch", path: `${ROOT}/custom-providers/{id}`, id: "updateCustomProvider" } },
  { ...refused, ...{ method: "delete", path: `${ROOT}/custom-providers/{id}`, id: "deleteCustomProvider" } },
];
