/** Reads OTLP's JSON as a collector does: by the official protobuf schema. */
import { assertEquals } from "@std/assert";
// @ts-types="./otlp_schema.d.ts"
import root from "npm:@opentelemetry/otlp-transformer@0.203.0/build/src/generated/root.js";

const REQUEST = root.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;

/** A span with plain attributes. */
export interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  traceState?: string;
  name: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: Record<string, unknown>;
  status: { code?: number; message?: string };
}

const IDS = ["traceId", "spanId", "parentSpanId"];

/** A copy of JSON whose ids are changed. */
const withIds = (value: unknown, change: (id: unknown) => unknown): unknown => {
  if (Array.isArray(value)) return value.map((one) => withIds(one, change));
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      key,
      IDS.includes(key) ? change(member) : withIds(member, change),
    ]),
  );
};

const hex = (bytes: unknown) =>
  Array.from(bytes as Uint8Array, (byte) => byte.toString(16).padStart(2, "0")).join("");

const bytesOf = (id: unknown) => Uint8Array.from((id as string).match(/../g)!, (pair) => parseInt(pair, 16));

interface Attribute {
  key: string;
  value: Record<string, unknown> & { arrayValue?: { values: Record<string, unknown>[] } };
}

const plain = (attributes: Attribute[] = []) =>
  Object.fromEntries(attributes.map(({ key, value }) => {
    const [one] = Object.values(value.arrayValue ? {} : value);
    const list = value.arrayValue?.values.flatMap((each) => Object.values(each));
    return [key, value.intValue !== undefined ? Number(value.intValue) : list ?? one];
  }));

/**
 * The spans in the body of a request to a collector. Fails for a body with a name or a type that the schema does not have: such
 * a member would not survive the way through protobuf.
 */
export function readSpans(body: string): { resource: Record<string, unknown>; spans: Span[] } {
  const written = JSON.parse(body);
  const message = REQUEST.decode(REQUEST.encode(REQUEST.fromObject(withIds(written, bytesOf))).finish());
  const read = withIds(REQUEST.toObject(message, { longs: String }), hex);
  assertEquals(read, written);
  const [{ resource, scopeSpans: [{ scope, spans }] }] = written.resourceSpans;
  assertEquals(scope, { name: "sluice" });
  return {
    resource: plain(resource.attributes),
    spans: spans.map((span: Span & { attributes: unknown }) => ({
      ...span,
      attributes: plain(span.attributes as unknown as Attribute[]),
    })),
  };
}
