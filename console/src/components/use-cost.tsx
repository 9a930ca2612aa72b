/** What one machine or job used in some days, and what that comes to at its price. */
import type { ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { useText } from "#console/i18n/index.ts";
import { Muted } from "#console/ui/text.tsx";

import { costOfUse } from "./cost-of-use.ts";
import { Money } from "./money.tsx";
import { shortQuantity } from "./quantity.ts";
import { TotalRow } from "./total-row.tsx";

export function UseCost({
  of,
  sums,
  price,
}: {
  /** The id of the lease or job. */
  readonly of: string;
  /** By resource. */
  readonly sums: Pick<AnswerOf<"getUsageSums">, "items">;
  readonly price: AnswerOf<"getLease">["price"];
}): ReactNode {
  const { t } = useText();
  const { lines, total } = costOfUse(
    sums.items.filter(({ group }) => group === of),
    price.lines,
  );
  if (lines.length === 0) return <Muted>{t("common.cost.nothing")}</Muted>;
  return (
    <div>
      <div className="table-wrap">
        <table className="table" aria-label={t("common.cost.title")}>
          <thead>
            <tr>
              <th scope="col">SKU</th>
              <th scope="col" className="end">
                {t("common.cost.quantity")}
              </th>
              <th scope="col" className="end">
                {t("common.cost.amount")}
              </th>
            </tr>
          </thead>
          <tbody>
            {lines.map((line) => (
              <tr key={line.sku}>
                <th scope="row">{line.sku}</th>
                <td className="end tabular">
                  {shortQuantity(line.quantity)} <Muted>{line.unit}</Muted>
                </td>
                <td className="end">
                  <Money amount={line.amount} />
                </td>
              </tr>
            ))}
            <TotalRow label={t("common.cost.total")} columns={2} amount={total} />
          </tbody>
        </table>
      </div>
      <Muted size="xs">{t("common.cost.help")}</Muted>
    </div>
  );
}
