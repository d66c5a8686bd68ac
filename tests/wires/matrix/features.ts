/** What clients can say in each format, and where each provider's format has a place for it. */
import type { Feature } from "./feature.ts";
import { SETTINGS } from "./setting_features.ts";
import { TALK } from "./talk_features.ts";
import { TOOLS } from "./tool_features.ts";

export const FEATURES: readonly Feature[] = [...TALK, ...TOOLS, ...SETTINGS];
