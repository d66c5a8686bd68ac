/**
 * Counts, and writes the counts in Prometheus' text format.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format (2026-11)
 */

/** The content type of the format. */
export const TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8";

/** The value of labels that are not told apart. */
export const OTHER = "other";

/** A family of counters or histograms: its name, a sentence about it, and the names of its labels. */
export interface Family {
  name: string;
  help: string;
  labels: readonly string[];
}

/** Adds an amount to the counter with these values of the labels. An empty value is a label that is not there. */
export type Add = (values: readonly string[], amount: number) => void;

/** Counts in families, each with a bounded number of sets of labels. */
export interface Registry {
  counter(family: Family): Add;
  /** @param steps The upper ends of the steps, without the last one, which has no end. */
  histogram(family: Family, steps: readonly number[]): Add;
  /** All families, in the order in which they were made. */
  text(): string;
}

/**
 * Makes a registry.
 *
 * @param most The most sets of labels in a family. Further sets are counted together: all their labels are `other`, except for
 * those in `kept`.
 * @param kept Names of labels with few values.
 */
export function registry(most: number, kept: ReadonlySet<string>): Registry {
  const writers: (() => string)[] = [];

  /** The series of a family, by the text of their labels. */
  function seriesOf<T>({ labels }: Family, make: () => T) {
    const all = new Map<string, T>();
    const get = (values: readonly string[]): T => {
      let text = labelText(labels, values);
      if (all.size >= most && !all.has(text)) {
        text = labelText(
          labels,
          values.map((value, at) => value && !kept.has(labels[at]) ? OTHER : value),
        );
      }
      let one = all.get(text);
      if (one === undefined) all.set(text, one = make());
      return one;
    };
    return { all, get };
  }

  return {
    counter(family) {
      const { all, get } = seriesOf(family, () => ({ sum: 0 }));
      const { name } = family;
      writers.push(() =>
        head(family, "counter") + [...all].map(([labels, { sum }]) => sample(name, labels, sum)).join("")
      );
      return (values, amount) => void (get(values).sum += amount);
    },
    histogram(family, steps) {
      const { all, get } = seriesOf(family, () => ({
        counts: Array.from<number>({ length: steps.length + 1 }).fill(0),
        sum: 0,
      }));
      writers.push(() =>
        head(family, "histogram") +
        [...all].map(([labels, { counts, sum }]) => histogramText(family.name, labels, steps, counts, sum))
          .join("")
      );
      return (values, amount) => {
        const one = get(values);
        const step = steps.findIndex((end) => amount <= end);
        one.counts[step < 0 ? steps.length : step]++;
        one.sum += amount;
      };
    },
    text: () => writers.map((write) => write()).join(""),
  };
}

/** A family of gauges, each with the values of its labels. */
export const gaugeText = (
  family: Family,
  series: readonly (readonly [labels: string[], value: number])[],
): string =>
  series.length === 0 ? "" : head(family, "gauge") +
    series.map(([values, value]) => sample(family.name, labelText(family.labels, values), value)).join("");

/** A family without labels and with a single counter. */
export const counterText = (name: string, help: string, value: number): string =>
  head({ name, help }, "counter") + sample(name, "", value);

const head = ({ name, help }: Pick<Family, "name" | "help">, type: string) =>
  `# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}\n# TYPE ${name} ${type}\n`;

const sample = (name: string, labels: string, value: number) =>
  `${name}${labels && `{${labels}}`} ${value}\n`;

/** The counts of the steps add up from the first to the last. */
function histogramText(
  name: string,
  labels: string,
  steps: readonly number[],
  counts: readonly number[],
  sum: number,
): string {
  const before = labels && `${labels},`;
  let text = "", count = 0;
  for (const [step, own] of counts.entries()) {
    count += own;
    text += sample(`${name}_bucket`, `${before}le="${steps[step] ?? "+Inf"}"`, count);
  }
  return text + sample(`${name}_sum`, labels, sum) + sample(`${name}_count`, labels, count);
}

const ESCAPES: Readonly<Record<string, string>> = { "\\": "\\\\", '"': '\\"', "\n": "\\n" };

const labelText = (names: readonly string[], values: readonly string[]): string =>
  names.flatMap((name, at) =>
    values[at]
      ? [`${name}="${values[at].toWellFormed().replaceAll(/[\\"\n]/g, (mark) => ESCAPES[mark])}"`]
      : []
  ).join(",");
