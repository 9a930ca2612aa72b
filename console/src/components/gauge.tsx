/** A share of a whole, as a bar and in words. */
import type { ReactNode } from "react";

export function Gauge({
  share,
  label,
  text,
}: {
  /** 0 to 1. */
  readonly share: number;
  /** What it is a share of: said to screen readers. */
  readonly label: string;
  /** Beside the bar; the percentage if left out. */
  readonly text?: string;
}): ReactNode {
  const percent = Math.round(Math.min(1, Math.max(0, share)) * 100);
  const tone = share >= 0.95 ? "bad" : share >= 0.8 ? "attention" : "";
  const shown = text ?? `${percent} %`;
  return (
    <span
      className="gauge"
      role="meter"
      aria-label={label}
      aria-valuenow={percent}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuetext={shown}
    >
      <span className="gauge-track">
        <span className={`gauge-fill ${tone}`} style={{ display: "block", width: `${percent}%` }} />
      </span>
      <span className="tabular nowrap">{shown}</span>
    </span>
  );
}
