/** What was seen of CPU and GPU while somebody looked, as series for a chart. Pure. */
export interface Seen {
  /** Epoch milliseconds, ascending. */
  readonly at: readonly number[];
  readonly cpu: readonly (number | null)[];
  readonly gpu: readonly (number | null)[];
}

interface Signal {
  readonly signal: string;
  readonly value: number | null;
  readonly seenAt: string;
}

/** An hour at one look every 10 s. */
const pointsMax = 360;

/** A look that saw nothing newer adds nothing. */
export function withSeen(before: Seen, signals: readonly Signal[]): Seen {
  const at = Math.max(...signals.map(({ seenAt }) => Date.parse(seenAt)));
  if (signals.length === 0 || at <= (before.at.at(-1) ?? 0)) return before;
  const valueOf = (name: string): number | null =>
    signals.find(({ signal }) => signal === name)?.value ?? null;
  return {
    at: [...before.at, at].slice(-pointsMax),
    cpu: [...before.cpu, valueOf("cpu")].slice(-pointsMax),
    gpu: [...before.gpu, valueOf("gpu")].slice(-pointsMax),
  };
}
