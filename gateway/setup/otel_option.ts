/** The option `otel`, and the standard variables that set it. */
import * as v from "npm:valibot@1.5.0";
import type { Collector } from "../log/otlp.ts";
import { headersOption } from "./headers_option.ts";
import { readSwitchText } from "./texts.ts";

/**
 * A collector of OpenTelemetry that takes OTLP over HTTP as JSON.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createGateway, type OtelOptions } from "../../mod.ts";
 *
 * const sent: string[] = [];
 * const otel: OtelOptions = { url: "http://localhost:4318/v1/traces", serviceName: "my-gateway" };
 * const fetch = (url: string) => Promise.resolve(new Response(String(sent.push(url))));
 * const gateway = createGateway({ otel, fetch });
 * const query = { model: "demo/echo", messages: [{ role: "user", content: "Hello" }] };
 * await (await gateway.gateway("default").run({ provider: "compat", endpoint: "chat/completions", query })).text();
 * await gateway.close();
 * assertEquals(sent, ["http://localhost:4318/v1/traces"]);
 * ```
 */
export interface OtelOptions {
  /** The collector's URL for traces, e.g. `http://localhost:4318/v1/traces`. */
  url: string;
  /** Headers for the collector, e.g. its credential. */
  headers?: Readonly<Record<string, string>>;
  /** The attribute `service.name`. Default `sluice`. */
  serviceName?: string;
  /** Further attributes of the service, e.g. `{"deployment.environment.name": "test"}`. */
  resource?: Readonly<Record<string, string>>;
  /** Milliseconds for one request to the collector. Default 10,000. */
  timeoutMs?: number;
}

function isCollectorUrl(text: string): boolean {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return false;
  const { username, password } = new URL(text);
  return username === "" && password === "";
}

/** The schema of the option. */
export const otelOption = v.strictObject({
  url: v.pipe(
    v.string(),
    v.trim(),
    v.check(isCollectorUrl, "must be an http or https URL; a credential goes into the headers"),
  ),
  headers: v.optional(headersOption),
  serviceName: v.optional(v.pipe(v.string(), v.trim(), v.nonEmpty())),
  resource: v.optional(v.record(v.string(), v.string())),
  timeoutMs: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(600_000))),
});

/** The collector of the option. */
export const collectorOf = (
  { url, headers, serviceName, resource, timeoutMs = 10_000 }: OtelOptions,
): Collector => ({
  url,
  headers,
  resource: { "service.name": "sluice", ...resource, ...(serviceName && { "service.name": serviceName }) },
  timeoutMs,
});

/** A setting of the option, with the variable that it comes from. */
export interface OtelSetting {
  variable: string;
  path: readonly string[];
  value: unknown;
}

/** Variables of one kind. The one for traces wins. */
const variables = (end: string) => [`OTEL_EXPORTER_OTLP_TRACES_${end}`, `OTEL_EXPORTER_OTLP_${end}`];

/**
 * Reads OpenTelemetry's own variables. Without one for the collector's address no span is sent.
 *
 * @param warnings Gets a sentence about a variable with a value that has no effect.
 * @throws TypeError whose message names the variable and does not quote its value.
 * @see https://opentelemetry.io/docs/specs/otel/protocol/exporter/ (2026-11)
 */
export function readOtel(env: (name: string) => string | undefined, warnings: string[]): OtelSetting[] {
  const read = (name: string) => env(name)?.trim() || undefined;
  const first = (names: readonly string[]) => names.find((name) => read(name) !== undefined);
  const isOff = readSwitchText(read("OTEL_SDK_DISABLED") ?? "") === true ||
    read("OTEL_TRACES_EXPORTER")?.toLowerCase() === "none";
  const place = first(variables("ENDPOINT"));
  if (isOff || place === undefined) return [];
  const settings: OtelSetting[] = [];
  const set = (variable: string, member: string, value: unknown) =>
    settings.push({ variable, path: ["otel", member], value });
  const isForTraces = place === variables("ENDPOINT")[0];
  set(place, "url", isForTraces ? read(place)! : tracesUrl(read(place)!));
  const headers = first(variables("HEADERS"));
  if (headers) set(headers, "headers", readPairs(headers, read(headers)!));
  const timeout = first(variables("TIMEOUT"));
  if (timeout) {
    set(timeout, "timeoutMs", /^\d+$/.test(read(timeout)!) ? Number(read(timeout)) : read(timeout));
  }
  const resource = read("OTEL_RESOURCE_ATTRIBUTES");
  if (resource) {
    set("OTEL_RESOURCE_ATTRIBUTES", "resource", readPairs("OTEL_RESOURCE_ATTRIBUTES", resource));
  }
  const name = read("OTEL_SERVICE_NAME");
  if (name) set("OTEL_SERVICE_NAME", "serviceName", name);
  const protocol = first(variables("PROTOCOL"));
  if (protocol && read(protocol) === "grpc") {
    warnings.push(`${protocol} is grpc, but spans are sent over HTTP as JSON: ${place} must be for that`);
  }
  return settings;
}

/** The URL for traces below a collector's address. A text that is not a URL stays, and is refused later. */
function tracesUrl(address: string): string {
  if (!URL.canParse(address)) return address;
  const url = new URL(address);
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/v1/traces`;
  return url.href;
}

/**
 * Reads pairs in the encoding of W3C's baggage: `name=value,name=value`, with values percent-encoded.
 *
 * @throws TypeError
 */
function readPairs(variable: string, text: string): Record<string, string> {
  const pairs = text.split(",").filter((pair) => pair.trim() !== "").map((pair) => {
    const mark = pair.indexOf("=");
    const name = pair.slice(0, mark).trim();
    if (mark < 0 || name === "") {
      throw new TypeError(`Cannot use ${variable}: it must be name=value, separated by commas`);
    }
    return [decoded(name), decoded(pair.slice(mark + 1).trim())] as const;
  });
  return Object.fromEntries(pairs);
}

/** A text whose percent signs are not an encoding stays as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
