/**
 * Charts over time and over days. The plot is loaded when one is shown; beside it the same figures
 * can be opened as a table, which is also the way by keyboard and screen reader. Figures are numbers here,
 * for drawing only; amounts are shown as the API wrote them (`text`).
 */
import { lazy, Suspense, type ReactNode } from "react";

import { useText } from "#console/i18n/index.ts";
import { Skeleton } from "#console/ui/feedback.tsx";
import { Muted } from "#console/ui/text.tsx";

export interface Series {
  readonly label: string;
  /** `null` where there is none. */
  readonly values: readonly (number | null)[];
}

interface ChartProps {
  /** What it shows: its name for everybody who does not see it. */
  readonly label: string;
  readonly series: readonly Series[];
  /** A value in words, with its unit. */
  readonly text: (value: number, seriesIndex: number, index: number) => string;
  readonly height?: number;
}

export interface LineChartProps extends ChartProps {
  /** Epoch milliseconds, ascending. */
  readonly at: readonly number[];
}

export interface BarChartProps extends ChartProps {
  /** Under each bar: a day, a month. */
  readonly names: readonly string[];
  readonly isStacked?: boolean;
  /** A bar was chosen. */
  readonly onPick?: (index: number) => void;
}

const LinePlot = lazy(async () => ({ default: (await import("./plot.tsx")).LinePlot }));
const BarPlot = lazy(async () => ({ default: (await import("./plot.tsx")).BarPlot }));
const heightDefault = 240;

export function LineChart(
  props: LineChartProps & { readonly timeText: (at: number) => string },
): ReactNode {
  const { at, timeText } = props;
  return (
    <Framed {...props} names={at.map((each) => timeText(each))}>
      <LinePlot {...props} />
    </Framed>
  );
}

export function BarChart(props: BarChartProps): ReactNode {
  return (
    <Framed {...props}>
      <BarPlot {...props} />
    </Framed>
  );
}

function Framed({
  label,
  series,
  names,
  text,
  height = heightDefault,
  onPick,
  children,
}: ChartProps & {
  readonly names: readonly string[];
  readonly onPick?: (index: number) => void;
  readonly children: ReactNode;
}): ReactNode {
  const { t } = useText();
  if (names.length === 0) return <Muted>{t("common.chart.noData")}</Muted>;
  return (
    <figure style={{ margin: 0 }}>
      <div role="img" aria-label={label} className="chart" style={{ minHeight: height }}>
        <Suspense fallback={<Skeleton height={height} label={t("common.loading")} />}>
          {children}
        </Suspense>
      </div>
      <details>
        <summary>{t("common.chart.asTable")}</summary>
        <div className="table-wrap">
          <table className="table" aria-label={label}>
            <thead>
              <tr>
                <th scope="col">{t("common.name")}</th>
                {series.map((each) => (
                  <th key={each.label} scope="col" className="end">
                    {each.label}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {names.map((name, index) => (
                <tr key={name}>
                  <th scope="row">
                    {onPick === undefined ? (
                      name
                    ) : (
                      <button type="button" className="link-button" onClick={() => onPick(index)}>
                        {name}
                      </button>
                    )}
                  </th>
                  {series.map((each, at) => {
                    const value = each.values[index];
                    return (
                      <td key={each.label} className="end tabular">
                        {value === null || value === undefined ? "—" : text(value, at, index)}
                      </td>
                    );
                  })}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  );
}
