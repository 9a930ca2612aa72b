/** Metrics as Prometheus writes them, of the names that begin so. Pure; what is no such line is left out. */

export interface MetricLine {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const line = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)(?: \d+)?$/u;
const label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/gu;

export function parseMetrics(body: string, prefix: string): readonly MetricLine[] {
  const lines: MetricLine[] = [];
  for (const each of body.split("\n")) {
    if (!each.startsWith(prefix)) continue;
    const match = line.exec(each.trimEnd());
    const value = Number(match?.[3]);
    if (match === null || !Number.isFinite(value)) continue;
    const labels: Record<string, string> = {};
    for (const [, key = "", text = ""] of (match[2] ?? "").matchAll(label)) {
      labels[key] = text.replace(/\\(.)/gu, (_, char: string) => (char === "n" ? "\n" : char));
    }
    lines.push({ name: match[1] ?? "", labels, value });
  }
  return lines;
}
