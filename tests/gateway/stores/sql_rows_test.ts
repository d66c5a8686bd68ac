import { assertEquals } from "@std/assert";
import { rowOf } from "../../../gateway/stores/sql_rows.ts";

Deno.test("numbers that a client of PostgreSQL returns as texts are numbers in the row", () => {
  const record = {
    id: "7",
    status: "200",
    duration_ms: "12.5",
    first_ms: "3",
    tokens_in: "4",
    tokens_out: "5",
    cache_read: "6",
    cost: "0.25",
    feedback: "1",
    score: "90",
    model: "8",
    more: "{}",
  };
  assertEquals(rowOf(record) as unknown, {
    id: "7",
    status: 200,
    durationMs: 12.5,
    firstTokenMs: 3,
    inputTokens: 4,
    outputTokens: 5,
    cacheReadTokens: 6,
    cost: 0.25,
    feedback: 1,
    score: 90,
    model: "8",
  });
});
