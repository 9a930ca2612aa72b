/** uPlot in React: made once for its data, resized with its place. Loaded by chart.tsx only. */
import "uplot/dist/uPlot.min.css";
import { useEffect, useRef, type ReactNode } from "react";
import uPlot from "uplot";

import { useTimeZone } from "#console/api/session.ts";
import { useText } from "#console/i18n/index.ts";

import type { BarChartProps, LineChartProps } from "./chart.tsx";

/** Told apart by eye in both themes, also by those who do not see red and green. */
const colors = [
  "#1d92a5",
  "#e8890c",
  "#6c5ce7",
  "#d6336c",
  "#2b8a3e",
  "#868e96",
  "#1c7ed6",
  "#a0522d",
];
const gridColor = "rgba(128,140,150,0.22)";
const heightDefault = 240;

export function LinePlot({ at, series, text, height = heightDefault }: LineChartProps): ReactNode {
  const timeZone = useTimeZone();
  const place = usePlot(
    () => ({
      options: {
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), timeZone),
        axes: [axis(), valueAxis()],
        series: [
          {},
          ...series.map((each, index) => ({
            label: each.label,
            stroke: colorOf(index),
            width: 1.75,
            points: { show: at.length < 3 },
            value: (_plot: uPlot, value: number | null, _series: number, row: number | null) =>
              value === null ? "—" : text(value, index, row ?? 0),
          })),
        ],
      },
      data: [at.map((each) => each / 1000), ...series.map((each) => [...each.values])],
      height,
    }),
    JSON.stringify([at, series, timeZone]),
  );
  return <div ref={place} />;
}

export function BarPlot({
  names,
  series,
  text,
  isStacked = false,
  onPick,
  height = heightDefault,
}: BarChartProps): ReactNode {
  const { t, language } = useText();
  const pick = useRef(onPick);
  pick.current = onPick;
  const place = usePlot(
    () => {
      const drawn = isStacked
        ? stacked(series.map((each) => each.values))
        : series.map((each) => each.values);
      // The tallest of a stack is drawn first, and the others before it.
      const order = drawn.map((_unused, index) => index).toReversed();
      return {
        options: {
          scales: {
            x: { time: false, range: () => [-0.6, names.length - 0.4] },
            y: {
              range: (_plot: uPlot, least: number | null, most: number | null) =>
                fromZero(least, most),
            },
          },
          axes: [
            {
              ...axis(),
              splits: (plot: uPlot) => spread(names.length, plot.width),
              values: (plot: uPlot, splits: number[]) =>
                splits.map((split) =>
                  clipped(names[split] ?? "", plot.width / Math.max(1, splits.length)),
                ),
            },
            valueAxis(),
          ],
          cursor: { points: { show: false } },
          series: [
            {
              label: t("common.name"),
              value: (_plot: uPlot, value: number | null) => names[value ?? -1] ?? "—",
            },
            ...order.map((index) => ({
              label: series[index]?.label ?? "",
              fill: colorOf(index),
              stroke: colorOf(index),
              width: 0,
              paths: bars(index, isStacked ? 1 : series.length),
              points: { show: false },
              value: (_plot: uPlot, _value: number | null, _series: number, row: number | null) => {
                const value = row === null ? null : series[index]?.values[row];
                return value === null || value === undefined ? "—" : text(value, index, row ?? 0);
              },
            })),
          ],
          hooks: {
            ready: [
              (plot: uPlot) =>
                plot.over.addEventListener("click", () => {
                  if (typeof plot.cursor.idx === "number") pick.current?.(plot.cursor.idx);
                }),
            ],
          },
        },
        data: [
          names.map((_unused, index) => index),
          ...order.map((index) => [...(drawn[index] ?? [])]),
        ],
        height,
      };
    },
    JSON.stringify([names, series, isStacked, language]),
  );
  return <div ref={place} style={onPick === undefined ? undefined : { cursor: "pointer" }} />;
}

interface Made {
  readonly options: Omit<uPlot.Options, "width" | "height">;
  readonly data: readonly (readonly (number | null)[])[];
  readonly height: number;
}

/** `of` says when it is another plot. */
function usePlot(make: () => Made, of: string): (element: HTMLDivElement | null) => void {
  const place = useRef<HTMLDivElement>(null);
  const latest = useRef(make);
  latest.current = make;
  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const { options, data, height } = latest.current();
    const [x = [], ...rest] = data;
    const plot = new uPlot(
      { ...options, height, width: element.clientWidth },
      [x.map((each) => each ?? 0), ...rest.map((each) => [...each])],
      element,
    );
    const sizes = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }));
    sizes.observe(element);
    return () => {
      sizes.disconnect();
      plot.destroy();
    };
  }, [of]);
  return (element) => {
    place.current = element;
  };
}

function axis(): uPlot.Axis {
  const text = getComputedStyle(document.documentElement).getPropertyValue(
    "--mantine-color-dimmed",
  );
  return {
    stroke: text === "" ? "#808890" : text,
    grid: { stroke: gridColor, width: 1 },
    ticks: { stroke: gridColor, width: 1 },
    font: "11px system-ui, sans-serif",
  };
}

/** As wide as its longest figure. */
function valueAxis(): uPlot.Axis {
  return {
    ...axis(),
    size: (_plot, figures) => {
      const letters = Math.max(0, ...(figures ?? []).map((figure) => figure.length));
      return Math.max(valueAxisPx, letters * letterPx + valueAxisGapPx);
    },
  };
}

/** Two stand beside each other; more are drawn one before the other. */
function bars(index: number, count: number): uPlot.Series.PathBuilder {
  const builder = uPlot.paths.bars?.(
    count === 2 ? { size: [0.36, 40], align: index === 0 ? -1 : 1 } : { size: [0.7, 64] },
  );
  if (builder === undefined) throw new Error("uPlot without bars");
  return builder;
}

function colorOf(index: number): string {
  return colors[index % colors.length] ?? "#1d92a5";
}

/** Each row of sums up to and with its series. */
function stacked(values: readonly (readonly (number | null)[])[]): (number | null)[][] {
  const sums: number[] = [];
  return values.map((row) =>
    row.map((value, index) => {
      sums[index] = (sums[index] ?? 0) + (value ?? 0);
      return sums[index] ?? null;
    }),
  );
}

/** A name and some room. */
const namePx = 84;

function spread(count: number, widthPx: number): number[] {
  const namesShownMax = Math.max(2, Math.floor(widthPx / namePx));
  const step = Math.max(1, Math.ceil(count / namesShownMax));
  return Array.from({ length: Math.ceil(count / step) }, (_unused, index) => index * step);
}

/** A bar's length is its value: so the axis begins at zero, whatever the values are. */
function fromZero(least: number | null, most: number | null): [number, number] {
  const [low, high] = [Math.min(0, least ?? 0), Math.max(0, most ?? 0)];
  const room = low === high ? 1 : (high - low) * 0.08;
  return [low < 0 ? low - room : 0, high > 0 || low === 0 ? high + room : 0];
}

const valueAxisPx = 50;
/** Ticks, and a gap. */
const valueAxisGapPx = 18;

/** Of a letter of the axis, Latin ones; others are twice as wide. */
const letterPx = 6.5;

/** A name that is wider than its place is cut, so that names never lie over each other. */
function clipped(name: string, widthPx: number): string {
  let leftPx = widthPx;
  let shown = "";
  for (const { segment } of new Intl.Segmenter().segment(name)) {
    leftPx -= segment < "\u0300" ? letterPx : 2 * letterPx;
    if (leftPx < letterPx) return `${shown}…`;
    shown += segment;
  }
  return name;
}
