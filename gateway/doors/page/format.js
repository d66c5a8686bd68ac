// Writes numbers and times as texts.

export const count = (value) =>
  value === null || value === undefined ? "–" : Math.round(value).toLocaleString("en");

export function ms(value) {
  if (value === null || value === undefined) return "–";
  return value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(value < 10_000 ? 2 : 1)} s`;
}

/** Writes US dollars. A cost that is not known is never written as 0. */
export function dollars(value) {
  if (value === null || value === undefined) return "unknown";
  if (value === 0) return "$0";
  return value < 0.01 ? `$${value.toFixed(7).replace(/0+$/, "")}` : `$${value.toFixed(value < 10 ? 4 : 2)}`;
}

export const clock = (time) => new Date(time).toLocaleTimeString("en-GB");

/** Writes the time at which a column of a chart begins. */
export function moment(time, span) {
  const date = new Date(time);
  if (span === "30 d") {
    return date.toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
  }
  return date.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}

export const target = ({ provider, model, path }) =>
  provider ? (model ? `${provider}/${model}` : provider) : path;
