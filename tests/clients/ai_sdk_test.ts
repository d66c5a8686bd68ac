/** The AI SDK's client for APIs like OpenAI's. */
import { createOpenAICompatible } from "npm:@ai-sdk/openai-compatible@3.0.92";
import { generateText, isStepCount, streamText, tool } from "npm:ai@7.0.173";
import { z } from "npm:zod@4.6.7";
import { assertEquals } from "@std/assert";
import { createGateway } from "../../mod.ts";
import { FAKES, type Scenario, SCENARIOS, sseText, TEXT } from "../wires/shared.ts";
