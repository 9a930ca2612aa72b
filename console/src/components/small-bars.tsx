/** A few bars without axes, for a glance: the newest is last. Each says its own on pointing at it. */
import type { ReactNode } from "react";

export interface Bar {
  readonly name: string;
  /** For drawing only. */
  readonly size: number;
  readonly text: string;
}

export function SmallBars({
  bars,
  label,
}: {
  readonly bars: readonly Bar[];
  readonly label: string;
}): ReactNode {
  const most = Math.max(...bars.map(({ size }) => size));
  if (!(most > 0)) return null;
  const [first] = bars;
  const last = bars.at(-1);
  return (
    <figure className="small-bars">
      <ul aria-label={label}>
        {bars.map(({ name, size, text }) => (
          <li key={name} title={`${name}: ${text}`}>
            <span className="only-read">{`${name}: ${text}`}</span>
            <span style={{ height: `${Math.max(0, (size / most) * 100)}%` }} />
          </li>
        ))}
      </ul>
      <figcaption>
        <span>{first?.name}</span>
        <span>{last?.name}</span>
      </figcaption>
    </figure>
  );
}
