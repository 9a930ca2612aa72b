/** By month of registration: who was active in each month since, as a share, and what they brought. */
import type { ReactNode } from "react";

import { moneyText } from "#console/components/money.tsx";
import { useText } from "#console/i18n/index.ts";
import { Muted } from "#console/ui/text.tsx";

import { cohortGrid } from "./cohorts.ts";
import type { Revenue } from "./revenue-page.tsx";

export function CohortTable({ cohorts }: { readonly cohorts: Revenue["cohorts"] }): ReactNode {
  const { t } = useText();
  const grid = cohortGrid(cohorts);
  if (grid.rows.length === 0) return <Muted>{t("selling.noCohorts")}</Muted>;
  return (
    <div
      className="card table-wrap"
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, also by keyboard
      tabIndex={0}
      role="group"
      aria-label={t("selling.cohorts")}
    >
      <table className="table" aria-label={t("selling.cohorts")}>
        <caption style={{ captionSide: "bottom", padding: "0.5rem 0.75rem", textAlign: "start" }}>
          <Muted size="xs">{t("selling.cohortsText")}</Muted>
        </caption>
        <thead>
          <tr>
            <th scope="col">{t("selling.registeredIn")}</th>
            <th scope="col" className="end">
              {t("selling.size")}
            </th>
            {grid.months.map((month) => (
              <th key={month} scope="col" className="end">
                {month}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {grid.rows.map(({ cohort, size, cells }) => (
            <tr key={cohort}>
              <th scope="row">{cohort}</th>
              <td className="end tabular">{size}</td>
              {cells.map((cell, index) => (
                <td
                  key={grid.months[index]}
                  className="end tabular nowrap"
                  {...(cell === undefined
                    ? {}
                    : { style: { background: shade(cell.percent) }, title: cell.month })}
                >
                  {cell === undefined ? (
                    "—"
                  ) : (
                    <>
                      {cell.percent} %
                      <br />
                      <Muted size="xs">
                        {cell.active} · {moneyText(cell.revenue)}
                      </Muted>
                    </>
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Light enough for words on it; the figure says it, the shade only helps. */
function shade(percent: number): string {
  const strength = Math.round(Math.min(100, percent) * 0.28);
  return `color-mix(in srgb, var(--mantine-primary-color-filled) ${strength}%, transparent)`;
}
