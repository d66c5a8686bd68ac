/** What Converse refuses beyond the shapes of its members: of whole conversations, and of families of models. */
import type { Json } from "./lab.ts";

// deno-lint-ignore no-explicit-any -- Bodies whose shapes are checked already.
type Any = any;

/** What a family refuses, by what its models' ids hold. */
const FAMILIES: readonly (readonly [RegExp, Family])[] = [
  [/claude/, {
    caches: true,
    toolCaches: true,
    thinks: true,
    chooses: ["auto", "any", "tool"],
    status: true,
    strict: true,
  }],
  [/nova/, {
    caches: true,
    plays: ["video"],
    chooses: ["auto", "any", "tool"],
    status: true,
    noSchema: true,
  }],
  [/gpt-oss/, { chooses: ["auto", "any", "tool"], noStop: true, fields: ["reasoning_effort"] }],
  [/openai\./, {
    chooses: ["auto", "any", "tool"],
    noStop: true,
    noSampling: true,
    least: 16,
    fields: ["reasoning"],
  }],
  [/grok|kimi-k3/, { chooses: ["auto", "any", "tool"], least: 16, fields: [] }],
  [/deepseek\.r1/, { chooses: ["auto"], fields: [], noSchema: true }],
  [/deepseek/, { chooses: ["auto", "any"], fields: ["reasoning_effort"] }],
  [/mistral/, { chooses: ["auto", "any"], ids: /^[a-zA-Z0-9]{9}$/, plays: ["audio"] }],
  [/llama|titan/, { chooses: ["auto"], noSchema: true }],
];

interface Family {
  caches?: true;
  toolCaches?: true;
  thinks?: true;
  status?: true;
  plays?: string[];
  strict?: true;
  chooses: string[];
  noSchema?: true;
  noStop?: true;
  noSampling?: true;
  least?: number;
  ids?: RegExp;
  /** The additional fields that it knows. Absent: any. */
  fields?: string[];
}

export function rules(body: Any, model: string): string | undefined {
  const family = FAMILIES.find(([ids]) => ids.test(model))?.[1] ?? { chooses: ["auto", "any"] };
  return inTurns(body.messages) ?? inTools(body) ?? inDocuments(body.messages) ?? inCaches(body, family) ??
    inFamily(body, family, model);
}

const blocksOf = (messages: Any): Any[] => messages.flatMap(({ content }: Any) => content);

function inTurns(messages: Any[]): string | undefined {
  if (messages.length === 0) return "A conversation must have at least one message.";
  if (messages[0].role !== "user") return "A conversation must start with a user message.";
  for (const [at, { role, content }] of messages.entries()) {
    const place = `messages.${at}`;
    if (at > 0 && role === messages[at - 1].role) {
      return "A conversation must alternate between user and assistant roles.";
    }
    if (content.length === 0) return `The content field in the Message object at ${place} is empty.`;
    const texts = content.flatMap((block: Any) => [block, ...(block.toolResult?.content ?? [])])
      .filter((block: Any) => block.text !== undefined);
    if (texts.some(({ text }: Any) => text.trim() === "")) {
      return `The text field in the ContentBlock object at ${place} is blank. Add text to the text field, and try again.`;
    }
    if (role === "assistant" && at === messages.length - 1 && /\s$/.test(content.at(-1).text ?? "")) {
      return "final assistant content cannot end with trailing whitespace";
    }
    const users = ["image", "document", "video", "audio", "toolResult"];
    // The results of Amazon's own tools have a type.
    const isUsers = (block: Any) => users.some((kind) => block[kind] && !block[kind].type);
    if (role === "assistant" && content.some(isUsers)) {
      return `User messages only: ${place}`;
    }
    if (
      role === "user" && content.some(({ toolUse, reasoningContent }: Any) => toolUse || reasoningContent)
    ) {
      return `Assistant messages only: ${place}`;
    }
  }
}

function inTools({ messages, toolConfig }: Any): string | undefined {
  const blocks = blocksOf(messages);
  if (!toolConfig && blocks.some(({ toolUse, toolResult }) => toolUse || toolResult)) {
    return "The toolConfig field must be defined when using toolUse and toolResult content blocks.";
  }
  const specs = (toolConfig?.tools ?? []).flatMap(({ toolSpec }: Any) => toolSpec ?? []);
  const names = specs.map(({ name }: Any) => name);
  if (new Set(names).size < names.length) return "The tools have a duplicate name.";
  const badRoot = specs.find(({ inputSchema }: Any) => inputSchema.json.type !== "object");
  if (badRoot) return "The value at toolConfig.tools.toolSpec.inputSchema.json.type must be one of: object.";
  const chosen = toolConfig?.toolChoice?.tool?.name;
  if (chosen !== undefined && !names.includes(chosen)) return `The tool ${chosen} is not in toolConfig.`;
  const ids = new Set<string>();
  for (const [at, { role, content }] of messages.entries()) {
    const uses = content.flatMap(({ toolUse }: Any) => toolUse ?? []);
    if (uses.some(({ input }: Any) => typeof input !== "object" || input === null || Array.isArray(input))) {
      return `The value at messages.${at}.content.toolUse.input is not an object.`;
    }
    for (const { toolUseId } of uses) {
      if (ids.has(toolUseId)) return "The toolUse blocks contain duplicate Ids.";
      ids.add(toolUseId);
    }
    const wanted = at === 0
      ? []
      : messages[at - 1].content.flatMap(({ toolUse }: Any) =>
        toolUse && !toolUse.type ? [toolUse.toolUseId] : []
      );
    const given = content.flatMap(({ toolResult }: Any) => toolResult ? [toolResult.toolUseId] : []);
    if (role === "user" && [...wanted].sort().join() !== [...given].sort().join()) {
      return `Expected toolResult blocks at messages.${at}.content for the following Ids: ${wanted}, but found: ${given}`;
    }
    const first = content.findIndex(({ toolResult, cachePoint }: Any) => !toolResult && !cachePoint);
    const last = content.findLastIndex(({ toolResult }: Any) => toolResult);
    if (role === "user" && first >= 0 && last > first) return `Results come first: messages.${at}`;
  }
}

function inDocuments(messages: Any[]): string | undefined {
  const names = new Set<string>();
  for (const { content } of messages) {
    const documents = content.flatMap(({ document }: Any) => document ?? []);
    if (documents.length > 5 || content.filter(({ image }: Any) => image).length > 20) {
      return "too many attachments";
    }
    if (documents.length > 0 && !content.some(({ text }: Any) => text)) {
      return "A text block is required when using documents.";
    }
    for (const { name } of documents) {
      if (!/^[\w ()[\]-]+$/.test(name) || /\s\s/.test(name)) {
        return "The file name can only contain alphanumeric characters, whitespace characters, hyphens, parentheses, and square " +
          "brackets. The name can't contain more than one consecutive whitespace character.";
      }
      if (names.has(name)) return `The document file name ${name} is duplicated.`;
      names.add(name);
    }
  }
}

function inCaches({ messages, system = [], toolConfig }: Any, family: Family): string | undefined {
  const lists: Json[][] = [toolConfig?.tools ?? [], system, ...messages.map(({ content }: Any) => content)];
  const points = lists.flat().filter(({ cachePoint }) => cachePoint).length;
  if (points > 0 && !family.caches) {
    return "You invoked an unsupported model or your request did not allow prompt caching.";
  }
  if (points > 4) return `A maximum of 4 blocks with cache_control may be provided. Found ${points}.`;
  if (!family.toolCaches && lists[0].some(({ cachePoint }) => cachePoint)) {
    return "extraneous key [cachePoint]";
  }
  for (const list of lists) {
    if (list[0]?.cachePoint) return "A cache point must follow another block.";
    const isText = (block: Any) => block?.document && block.document.format !== "pdf";
    if (list.some(({ cachePoint }, at) => cachePoint && isText(list[at - 1]))) {
      return "Cache points cannot be inserted after text documents.";
    }
  }
}

function inFamily(body: Any, family: Family, model: string): string | undefined {
  const { toolConfig, inferenceConfig = {}, outputConfig, additionalModelRequestFields: more = {} } = body;
  const blocks = blocksOf(body.messages);
  const said = `This model doesn't support`;
  const [choice] = Object.keys(toolConfig?.toolChoice ?? {});
  if (choice && !family.chooses.includes(choice)) return `${said} the toolConfig.toolChoice.${choice} field.`;
  if (!family.strict && toolConfig?.tools.some(({ toolSpec }: Any) => toolSpec?.strict !== undefined)) {
    return `${said} the strict field.`;
  }
  if (blocks.some(({ reasoningContent }) => reasoningContent) && !family.thinks) {
    return `${said} reasoning in history.`;
  }
  if (
    blocks.some(({ reasoningContent }) =>
      reasoningContent?.reasoningText && !reasoningContent.reasoningText.signature
    )
  ) {
    return "messages.content.thinking.signature: Field required";
  }
  const played = blocks.find(({ audio, video }) => audio || video);
  if (played && !family.plays?.some((kind) => played[kind])) return `${said} ${Object.keys(played)} content.`;
  const results = blocks.flatMap(({ toolResult }) => toolResult ?? []);
  const rich = results.some(({ status, content }) => status || content.some(({ image }: Any) => image));
  if (rich && !family.status) return `${said} the status field, or images, in tool results.`;
  if (inferenceConfig.stopSequences && family.noStop) return `${said} the stopSequences field.`;
  const { temperature, topP, maxTokens } = inferenceConfig;
  if ((temperature ?? topP) !== undefined && family.noSampling) return `${said} the temperature field.`;
  if (maxTokens < (family.least ?? 1)) return `max_output_tokens: must be at least ${family.least}`;
  if (outputConfig?.textFormat && family.noSchema) return `${said} the outputConfig.textFormat field.`;
  const schema = outputConfig?.textFormat?.structure.jsonSchema.schema;
  if (schema && !isClosed(JSON.parse(schema))) {
    return "For 'object' type, 'additionalProperties' must be explicitly set to false";
  }
  const ids = blocks.flatMap(({ toolUse }) => toolUse ? [toolUse.toolUseId] : []);
  if (family.ids && ids.some((id) => !family.ids!.test(id))) {
    return "Tool call id must be a-z, A-Z, 0-9, of length 9.";
  }
  const strange = family.fields && Object.keys(more).find((field) => !family.fields!.includes(field));
  if (strange) return `additionalModelRequestFields: extraneous key [${strange}] is not permitted`;
  return /claude/.test(model) ? ofClaude(body, more) : undefined;
}

function ofClaude({ inferenceConfig = {}, toolConfig, messages }: Any, more: Any): string | undefined {
  const { thinking, tool_choice } = more;
  if (toolConfig?.toolChoice && tool_choice?.type) return "tool_choice may not be specified twice.";
  if (!thinking || thinking.type === "disabled") return undefined;
  const { type, budget_tokens } = thinking;
  if (type === "enabled" && !(budget_tokens >= 1024)) return "thinking.enabled.budget_tokens: at least 1024";
  if (budget_tokens >= (inferenceConfig.maxTokens ?? Infinity)) {
    return "`max_tokens` must be greater than `thinking.budget_tokens`.";
  }
  if ((inferenceConfig.temperature ?? 1) !== 1) {
    return "`temperature` may only be set to 1 when thinking is enabled.";
  }
  if (type === "enabled" && toolConfig?.toolChoice && !toolConfig.toolChoice.auto) {
    return "Thinking may not be enabled when tool_choice forces tool use.";
  }
  const last = messages.at(-1).content;
  const before = messages.at(-2)?.content ?? [];
  if (type === "enabled" && last.some(({ toolResult }: Any) => toolResult) && !before[0]?.reasoningContent) {
    return "Expected `thinking` or `redacted_thinking`, but found `tool_use`.";
  }
}

/** Whether each object of a schema with properties is closed. */
function isClosed(schema: Any): boolean {
  if (typeof schema !== "object" || schema === null) return true;
  if (schema.properties && schema.additionalProperties !== false) return false;
  return Object.entries(schema).every(([name, inner]) => name === "enum" || isClosed(inner));
}
