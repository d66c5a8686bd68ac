/** A series. Only histograms have steps, a count and a sum. */
export interface Series {
  labels: Record<string, string>;
  value?: number;
  buckets?: Record<string, number>;
  count?: number;
  sum?: number;
}

/** Reads Prometheus' text format, line by line. */
export function getMetricsFromIterator(
  lines: Iterator<string>,
): Promise<Record<string, { type: string; help: string; data: Series[] }>>;
