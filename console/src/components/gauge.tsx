/** A share of a whole, as a bar and in words. */
import type { ReactNode } from "react";

export function Gauge({
  share,
  label,
  text,
  of = "used",
}: {
  /** 0 to 1. */
  readonly share: number;
  /** What it is a share of: said to screen readers. */
  readonly label: string;
  /** Beside the bar; the percentage if left out. */
  readonly text?: string;
  /** What is used up warns when it is much, what is left when it is little, a mere share never. */
  readonly of?: "used" | "left" | "share";
}): ReactNode {
  const percent = Math.round(Math.min(1, Math.max(0, share)) * 100);
  const used = { used: share, left: 1 - share, share: 0 }[of];
  const tone = used >= 0.95 ? "bad" : used >= 0.8 ? "attention" : "";
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
