/** Drawn for this page: 20 by 20, strokes of 1.6. An icon stands beside a word, or has a label. */
import type { ReactNode } from "react";

import { colorOfTone, type Tone } from "./theme.ts";

const shapes = {
  home: "M3 9.5 10 3.5l7 6M5 8.5V16h10V8.5",
  offer: "M3 6h14v8H3zM6 9h3M6 11.5h3M12 8.5v3M14.5 8.5v3",
  server: "M3 4h14v5H3zM3 11h14v5H3zM6 6.5h.01M6 13.5h.01",
  job: "M6 3h8l2 3v11H4V6zM7 10l2 2-2 2M11 14h2",
  money: "M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15M7 6l3 4 3-4M10 10v5M7.5 11h5M7.5 13h5",
  chart: "M3 17h14M5 14V9M9 14V5M13 14v-3M16.5 14V7",
  invoice: "M5 2.5h10v15l-2.5-1.5L10 17.5 7.5 16 5 17.5zM8 7h4M8 10h4",
  shield: "M10 2.5 16 5v5c0 4-3 6.5-6 7.5-3-1-6-3.5-6-7.5V5zM7.5 10l2 2 3.5-4",
  team: "M7 9a3 3 0 1 0 0-6 3 3 0 0 0 0 6M2 17c0-3 2-5 5-5s5 2 5 5M13 4a2.5 2.5 0 0 1 0 5M14 12c2.5.5 4 2.5 4 5",
  key: "M12.5 3a4.5 4.5 0 1 1-3.8 6.9L3 15.5V17h3v-2h2v-2l1.5-1.5M13.5 6.5h.01",
  gauge: "M3 14a7 7 0 1 1 14 0M10 13l3.5-4.5M10 14h.01",
  list: "M7 5h10M7 10h10M7 15h10M3.5 5h.01M3.5 10h.01M3.5 15h.01",
  host: "M3 4h14v9H3zM7 17h6M10 13v4",
  zone: "M10 17.5c4-4 6-6.5 6-9.5a6 6 0 0 0-12 0c0 3 2 5.5 6 9.5M10 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4",
  chip: "M6 6h8v8H6zM8 3v3M12 3v3M8 14v3M12 14v3M3 8h3M3 12h3M14 8h3M14 12h3",
  pool: "M10 3 17 6.5 10 10 3 6.5zM3 10l7 3.5L17 10M3 13.5 10 17l7-3.5",
  plug: "M7 3v4M13 3v4M5 7h10v3a5 5 0 0 1-10 0zM10 15v3",
  queue: "M3 5h14M3 10h9M3 15h5M15 11v6M12.5 14.5 15 17l2.5-2.5",
  bell: "M5 14h10l-1.5-2V8.5a3.5 3.5 0 0 0-7 0V12zM8.5 16.5a1.5 1.5 0 0 0 3 0",
  user: "M10 10a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7M3.5 17.5c0-3.5 2.5-5.5 6.5-5.5s6.5 2 6.5 5.5",
  folder: "M2.5 5h5L9 7h8.5v9h-15z",
  search: "M9 14.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11M13 13l4 4",
  menu: "M3 5.5h14M3 10h14M3 14.5h14",
  sun: "M10 13.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7M10 2v1.5M10 16.5V18M2 10h1.5M16.5 10H18M4.5 4.5l1 1M14.5 14.5l1 1M15.5 4.5l-1 1M5.5 14.5l-1 1",
  moon: "M16.5 12A7 7 0 0 1 8 3.5a7 7 0 1 0 8.5 8.5",
  language:
    "M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15M2.5 10h15M10 2.5c-5 5-5 10 0 15 5-5 5-10 0-15",
  check: "M4 10.5 8 14.5l8-9",
  close: "M5 5l10 10M15 5 5 15",
  alert: "M10 3 18 16.5H2zM10 8v4M10 14.2h.01",
  info: "M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15M10 9v5M10 6.5h.01",
  clock: "M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15M10 6v4l3 2",
  play: "M6 4l10 6-10 6z",
  stop: "M5 5h10v10H5z",
  pause: "M7 4v12M13 4v12",
  refresh: "M16 6.5A7 7 0 1 0 17 10M16.5 3v4h-4",
  wait: "M6 3h8M6 17h8M7 3c0 4 6 5 6 7s-6 3-6 7M13 3c0 4-6 5-6 7s6 3 6 7",
  copy: "M7 7h9v10H7zM4 13V3h9",
  download: "M10 3v9M6 8.5l4 4 4-4M3.5 16.5h13",
  upload: "M10 13V4M6 7.5l4-4 4 4M3.5 16.5h13",
  plus: "M10 4v12M4 10h12",
  minus: "M4 10h12",
  trash: "M4 5.5h12M8 5.5V3.5h4v2M5.5 5.5 6.5 17h7l1-11.5M8.5 8.5v5.5M11.5 8.5v5.5",
  edit: "M3.5 16.5l1-4 9-9 3 3-9 9zM12 5l3 3",
  more: "M4 10h.9M9.6 10h.9M15.2 10h.9",
  right: "M8 5l5 5-5 5",
  left: "M12 5l-5 5 5 5",
  down: "M5 8l5 5 5-5",
  up: "M5 12l5-5 5 5",
  external: "M8 4H4v12h12v-4M11 3.5h5.5V9M16 4l-7 7",
  terminal: "M2.5 4h15v12h-15zM5.5 8l2.5 2-2.5 2M10 12.5h4",
  filter: "M3 4h14l-5.5 6.5V16l-3-1.5v-4z",
  tool: "M12 3a4 4 0 0 0-1.5 6L4 15.5 5.5 17l6.5-6.5A4 4 0 0 0 17 6l-2.5 2L12 7z",
  code: "M7 5.5 2.5 10 7 14.5M13 5.5l4.5 4.5-4.5 4.5",
  snapshot: "M3 6h3l1.5-2h5L14 6h3v10H3zM10 13.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6",
  disk: "M4 6c0-1.5 2.5-2.5 6-2.5s6 1 6 2.5v8c0 1.5-2.5 2.5-6 2.5S4 15.5 4 14zM4 6c0 1.5 2.5 2.5 6 2.5S16 7.5 16 6M4 10c0 1.5 2.5 2.5 6 2.5s6-1 6-2.5",
  book: "M3 4c3-1 5 0 7 1 2-1 4-2 7-1v12c-3-1-5 0-7 1-2-1-4-2-7-1zM10 5v12",
  exit: "M8 3.5H4v13h4M8 10h9M13.5 6.5 17 10l-3.5 3.5",
} as const;

export type IconName = keyof typeof shapes;

export function Icon({
  name,
  size = 18,
  tone,
  label,
}: {
  readonly name: IconName;
  readonly size?: number;
  readonly tone?: Tone | undefined;
  /** Only where no word stands beside it. */
  readonly label?: string | undefined;
}): ReactNode {
  const color =
    tone === undefined
      ? "currentColor"
      : `light-dark(var(--mantine-color-${colorOfTone[tone]}-8), var(--mantine-color-${colorOfTone[tone]}-4))`;
  return (
    <svg
      viewBox="0 0 20 20"
      width={size}
      height={size}
      fill="none"
      stroke={color}
      strokeWidth="1.6"
      strokeLinecap="round"
      strokeLinejoin="round"
      style={{ flexShrink: 0 }}
      {...(label === undefined ? { "aria-hidden": true } : { role: "img", "aria-label": label })}
    >
      <path d={shapes[name]} />
    </svg>
  );
}
