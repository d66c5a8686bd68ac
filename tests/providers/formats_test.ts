import { assertEquals } from "@std/assert";
import { formatOf } from "../../providers/formats.ts";
import { WIRES } from "../../providers/kinds.ts";
import { bedrockConverse } from "../../wires/bedrock_converse/mod.ts";
import { openaiResponses } from "../../wires/openai_responses/mod.ts";
import type { AnswerFormat } from "../../wires/types.ts";

const { openai, anthropic, gemini, cohere, perplexity } = WIRES;

/** Each provider's documented paths, with the format of their answers. */
const DOCUMENTED: [AnswerFormat | undefined, string[]][] = [
  [openai, [
    "https://api.openai.com/v1/chat/completions",
    "https://api.openai.com/v1/chat/completions?foo=/v1/messages",
    "https://api.openai.com/v1/completions",
    "https://api.anthropic.com/v1/chat/completions",
    "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions",
    "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5/endpoints/openapi/chat/completions",
    "https://api.cohere.com/compatibility/v1/chat/completions",
    "https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21",
    "https://r.openai.azure.com/openai/v1/chat/completions",
    "https://r.services.ai.azure.com/models/chat/completions?api-version=2024-05-01-preview",
    "https://openrouter.ai/api/v1/chat/completions",
    "https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1/chat/completions",
    "https://bedrock-mantle.us-east-1.api.aws/v1/chat/completions",
    "https://api.cloudflare.com/client/v4/accounts/a/ai/v1/chat/completions",
    "https://api.mistral.ai/v1/fim/completions",
    "https://api.mistral.ai/v1/agents/completions",
    "https://api.deepseek.com/beta/completions",
    "https://api.perplexity.ai/chat/completions",
    "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/publishers/mistralai/models/mistral-large:streamRawPredict",
    "http://127.0.0.1:8000/v1/chat/completions/",
  ]],
  [anthropic, [
    "https://api.anthropic.com/v1/messages",
    "https://api.anthropic.com/v1/messages?beta=true",
    "https://openrouter.ai/api/v1/messages",
    "https://ai-gateway.vercel.sh/v1/messages",
    "https://api.deepseek.com/anthropic/v1/messages",
    "https://api.z.ai/api/anthropic/v1/messages",
    "https://api.moonshot.ai/anthropic/v1/messages",
    "https://bedrock-mantle.us-east-1.api.aws/anthropic/v1/messages",
    "https://bedrock-runtime.us-east-1.amazonaws.com/model/us.anthropic.claude-x-v1%3A0/invoke",
    "https://r.services.ai.azure.com/anthropic/v1/messages",
    "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5/publishers/anthropic/models/claude-sonnet-4-5@20250929:streamRawPredict",
    "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5/publishers/anthropic/models/claude-sonnet-4-5:rawPredict",
  ]],
  [gemini, [
    "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent",
    "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
    "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash%3AstreamGenerateContent",
    "https://generativelanguage.googleapis.com/v1beta/tunedModels/t:streamGenerateContent",
    "https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
    "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/endpoints/1:generateContent",
  ]],
  [cohere, ["https://api.cohere.com/v2/chat"]],
  [perplexity, ["https://api.perplexity.ai/v1/agent"]],
  [openaiResponses, [
    "https://api.openai.com/v1/responses",
    "https://r.openai.azure.com/openai/v1/responses",
    "https://r.openai.azure.com/openai/responses?api-version=2025-04-01-preview",
    "https://openrouter.ai/api/v1/responses",
    "https://api.x.ai/v1/responses",
    "https://api.perplexity.ai/v1/responses",
  ]],
  // Paths whose format the gateway cannot read, or that generate no answer.
  [bedrockConverse, ["https://bedrock-runtime.us-east-1.amazonaws.com/model/m%2Fx/converse"]],
  [undefined, [
    "https://api.cohere.com/v1/chat",
    "https://api.writer.com/v1/chat",
    "https://api.openai.com/v1/threads/t/messages",
    "https://api.openai.com/v1/threads/t/runs",
    "https://api.openai.com/v1/chat/completions/chatcmpl-1",
    "https://api.openai.com/v1/responses/resp_1/cancel",
    "https://api.openai.com/v1/responses/input_tokens",
    "https://api.openai.com/v1/batches",
    "https://api.openai.com/v1/embeddings",
    "https://api.openai.com/v1/audio/speech",
    "https://api.openai.com/v1/x?y=/chat/completions",
    "https://api.anthropic.com/v1/messages/count_tokens",
    "https://api.anthropic.com/v1/messages/batches",
    "https://api.anthropic.com/v1/my-messages",
    "https://api.anthropic.com/v1/complete",
    "https://generativelanguage.googleapis.com/v1beta/models/g:countTokens",
    "https://generativelanguage.googleapis.com/v1beta/models/g:batchGenerateContent",
    "https://generativelanguage.googleapis.com/v1beta/models/g:generateContent/operations/1",
    "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/publishers/meta/models/l:streamRawPredict",
    "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse-stream",
    "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/invoke",
    "https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude-x/invoke-with-response-stream",
    "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/count-tokens",
    "https://api.cloudflare.com/client/v4/accounts/a/ai/run/@cf/meta/llama",
    "https://x.test/xchat/completionsx",
    "https://x.test/v2/chats",
    "https://x.test/v1/agents",
    "https://x.test/prev1/responsesx",
  ]],
];

Deno.test("formatOf() knows the format of every documented path, whoever serves it", () => {
  for (const [format, urls] of DOCUMENTED) {
    for (const url of urls) assertEquals(formatOf("POST", url), format, url);
  }
});

Deno.test("formatOf() has no format for other methods than POST", () => {
  for (const [, urls] of DOCUMENTED) {
    for (const url of urls) {
      for (const method of ["GET", "DELETE", "PUT"]) assertEquals(formatOf(method, url), undefined, url);
    }
  }
});
