/**
 * What one attempt used and what that comes to, to be checked by hand: seconds, price, amount. An attempt
 * that the platform lost has its seconds too, and costs nothing (R-PAYG-7).
 */
import type { ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { grouped, Money, moneyText } from "#console/components/money.tsx";
import { TotalRow } from "#console/components/total-row.tsx";
import { useText } from "#console/i18n/index.ts";
import { Muted } from "#console/ui/text.tsx";

type AttemptCosts = AnswerOf<"getJobCosts">["attempts"][number];

export function AttemptCost({ of }: { readonly of: AttemptCosts }): ReactNode {
  const { t } = useText();
  const title = t("jobs.attemptCost.title", { number: of.number });
  if (of.lines.length === 0) return null;
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls where the screen is narrow
    <div className="table-wrap" role="region" aria-label={title} tabIndex={0}>
      <table className="table" aria-label={title}>
        <thead>
          <tr>
            <th scope="col">SKU</th>
            <th scope="col" className="end">
              {t("jobs.attemptCost.seconds")}
            </th>
            <th scope="col" className="end">
              {t("jobs.attemptCost.price")}
            </th>
            <th scope="col" className="end">
              {t("jobs.attemptCost.amount")}
            </th>
          </tr>
        </thead>
        <tbody>
          {of.lines.map((line, index) => (
            // oxlint-disable-next-line react/no-array-index-key -- a SKU has a line for each of its prices
            <tr key={`${line.sku} ${index}`}>
              <th scope="row">
                {line.sku} {line.units === "1" ? null : <Muted>× {line.units}</Muted>}
              </th>
              <td className="end tabular">{grouped(String(line.seconds))}</td>
              <td className="end">
                {line.unitPrice === null ? "—" : moneyText(line.unitPrice)}{" "}
                <Muted size="xs">{line.unit === null ? "" : `/ ${line.unit}`}</Muted>
              </td>
              <td className="end">
                <Money amount={line.amount} />
              </td>
            </tr>
          ))}
          <TotalRow label={t("common.cost.total")} columns={3} amount={of.amount} />
        </tbody>
      </table>
    </div>
  );
}
