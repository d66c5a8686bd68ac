/** The operations of models and providers. */
import * as answers from "./answers.ts";
import { json, type Operation } from "./operation.ts";

const hello = [{ role: "user", content: "Hello" }];
const MODEL = "demo/echo";
const CHAT = {
  streams: true,
  answer: json(answers.CHAT),
  example: { model: MODEL, messages: hello },
} as const;
const RESPONSES = {
  streams: true,
  answer: json(answers.RESPONSE),
  example: { model: MODEL, input: "Hello" },
} as const;
const MESSAGES = {
  streams: true,
  answer: json(answers.MESSAGE),
  example: { model: MODEL, max_tokens: 100, messages: hello },
} as const;

/** Paths about what is stored. They serve responses of callers with a token, if the option `responses.store` is set. */
const stored = (
  method: Operation["method"],
  path: string,
  id: string,
  summary: string,
): Operation => ({ method, path, id, summary, tag: "Models", answer: json(answers.ANY) });
const CONVERSATION = "/v1/conversations/{id}";
const STORED: readonly Operation[] = [
  stored("get", "/v1/responses/{id}", "getResponse", "A stored response"),
  stored("delete", "/v1/responses/{id}", "deleteResponse", "Removes a stored response"),
  stored("get", "/v1/responses/{id}/input_items", "listInputItems", "The input of a stored response"),
  {
    ...stored("post", "/v1/conversations", "createConversation", "Makes a conversation"),
    leads: {
      "/id": ["getConversation", "changeConversation", "deleteConversation", "listItems", "createItems"],
    },
  },
  stored("get", CONVERSATION, "getConversation", "A conversation"),
  stored("post", CONVERSATION, "changeConversation", "Changes the metadata of a conversation"),
  stored("delete", CONVERSATION, "deleteConversation", "Removes a conversation"),
  stored("get", `${CONVERSATION}/items`, "listItems", "The items of a conversation"),
  stored("post", `${CONVERSATION}/items`, "createItems", "Adds items to a conversation"),
];

const CLOUDFLARE = "/v1/{account_id}/{gateway_id}";
const REST = "/client/v4/accounts/{account_id}";
export const MODEL_OPERATIONS: readonly Operation[] = [
  {
    method: "post",
    path: "/v1/chat/completions",
    id: "createChatCompletion",
    summary: "OpenAI's chat completions, of any provider's model",
    tag: "Models",
    ...CHAT,
  },
  {
    method: "post",
    path: "/v1/responses",
    id: "createResponse",
    summary: "OpenAI's Responses, of any provider's model",
    tag: "Models",
    ...RESPONSES,
    leads: { "/id": ["getResponse", "deleteResponse", "listInputItems"] },
  },
  {
    method: "post",
    path: "/v1/responses/compact",
    id: "compactResponse",
    summary: "A conversation of Responses made shorter",
    tag: "Models",
    answer: json(answers.COMPACTION),
    example: RESPONSES.example,
  },
  {
    method: "post",
    path: "/v1/responses/input_tokens",
    id: "countResponseTokens",
    summary: "The number of tokens of a request for Responses",
    tag: "Models",
    answer: json(answers.TOKENS),
    example: RESPONSES.example,
  },
  {
    method: "post",
    path: "/v1/messages",
    id: "createMessage",
    summary: "Anthropic's Messages, of any provider's model",
    tag: "Models",
    ...MESSAGES,
  },
  {
    method: "post",
    path: "/v1/messages/count_tokens",
    id: "countMessageTokens",
    summary: "The number of tokens of a request for Messages",
    tag: "Models",
    answer: json(answers.TOKENS),
    example: MESSAGES.example,
  },
  {
    method: "post",
    path: "/v1/embeddings",
    id: "createEmbedding",
    summary: "OpenAI's embeddings, of any provider's model",
    tag: "Models",
    answer: json(answers.EMBEDDINGS),
    example: { model: "demo/embed", input: "Hello" },
  },
  {
    method: "post",
    path: "/v1/completions",
    id: "createCompletion",
    summary: "The older completions, of providers that have them",
    tag: "Models",
    answer: json(answers.ANY),
    streams: true,
  },
  {
    method: "post",
    path: "/v1/rerank",
    id: "rerank",
    summary: "Documents in the order of their relevance, of providers that have it",
    tag: "Models",
    answer: json(answers.ANY),
  },
  {
    method: "get",
    path: "/v1/models",
    id: "listModels",
    summary: "The models that the caller may use",
    tag: "Models",
    answer: json(answers.MODELS),
    leads: { "/data/0/id": ["getModel"] },
  },
  {
    method: "get",
    path: "/v1/models/{model}",
    id: "getModel",
    summary: "One model. Its name may hold slashes.",
    tag: "Models",
    answer: json(answers.MODEL),
  },
  {
    method: "post",
    path: `${CLOUDFLARE}/compat/chat/completions`,
    id: "createChatCompletionOfGateway",
    summary: "Chat completions at the path of Cloudflare's AI Gateway",
    tag: "Models",
    ...CHAT,
  },
  {
    method: "post",
    path: CLOUDFLARE,
    id: "tryInTurn",
    summary: "Cloudflare's universal endpoint: steps for several providers, until one answers",
    tag: "Models",
    answer: json(answers.ANY),
    streams: true,
    example: [{ provider: "compat", endpoint: "chat/completions", query: CHAT.example }],
  },
  {
    method: "post",
    path: `${CLOUDFLARE}/run`,
    id: "runTask",
    summary: "A model's task, answered without an envelope",
    tag: "Models",
    answer: json(answers.ANY),
    streams: true,
    example: { model: MODEL, input: { messages: hello } },
  },
  {
    method: "post",
    path: `${REST}/ai/run`,
    id: "runModel",
    summary: "A model's task, as in Cloudflare's REST API",
    tag: "Models",
    answer: json(answers.ENVELOPE),
    streams: true,
    example: { model: MODEL, input: { messages: hello } },
  },
  {
    method: "post",
    path: `${CLOUDFLARE}/{provider}/{path}`,
    id: "callProvider",
    summary: "A path of a provider's own API. It takes the other methods too, and the path may hold slashes.",
    tag: "Providers",
    answer: { "*/*": undefined },
  },
  ...STORED,
];
