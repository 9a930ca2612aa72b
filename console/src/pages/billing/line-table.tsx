/** Lines of a bill: what, how much, at what price, who paid. A line of usage opens its events. */
import type { ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { DataTable, type Column } from "#console/components/data-table.tsx";
import { fenOf, Money, moneyText } from "#console/components/money.tsx";
import { StateBadge } from "#console/components/state-badge.tsx";
import { shortQuantity } from "#console/components/quantity.ts";
import { useText } from "#console/i18n/index.ts";
import { Muted } from "#console/ui/text.tsx";

import type { LineOf } from "./line-drawer.tsx";
import { wholeList } from "./whole-list.ts";

export type ChargeLine = AnswerOf<"getStatement">["lines"][number];

export function LineTable({
  lines,
  label,
  onLine,
}: {
  readonly lines: readonly ChargeLine[];
  readonly label: string;
  readonly onLine: (line: LineOf) => void;
}): ReactNode {
  const { t, language } = useText();
  const columns: readonly Column<ChargeLine>[] = [
    {
      key: "date",
      head: t("statements.day"),
      cell: ({ date }) => <span className="nowrap">{date}</span>,
    },
    {
      key: "sku",
      head: t("usage.sku"),
      isTitle: true,
      cell: ({ kind, date, sku, revision, description }) => (
        <>
          {kind === "usage" ? (
            <button type="button" className="link-button" onClick={() => onLine({ date, sku })}>
              {sku}
            </button>
          ) : (
            description[language] || sku
          )}
          {revision === 0 ? null : <Muted> {t("usage.lateLine", { number: revision })}</Muted>}
        </>
      ),
    },
    {
      key: "quantity",
      head: t("usage.quantity"),
      align: "end",
      cell: ({ quantity, unit }) => (
        <span className="tabular">
          {shortQuantity(quantity)} <Muted>{unit}</Muted>
        </span>
      ),
    },
    {
      key: "price",
      head: t("usage.price"),
      align: "end",
      cell: ({ listPrice, multiplier }) => (
        <span className="tabular nowrap">
          {moneyText(listPrice)}
          {multiplier === "1" || multiplier === "" ? null : <Muted> × {multiplier}</Muted>}
        </span>
      ),
    },
    {
      key: "amount",
      head: t("orders.amount"),
      align: "end",
      cell: ({ amount }) => <Money amount={amount} />,
    },
    { key: "paid", head: t("statements.paidBy"), cell: ({ paidBy }) => <PaidBy of={paidBy} /> },
    {
      key: "state",
      head: t("common.state"),
      cell: ({ state }) => <StateBadge of="charge" state={state} />,
    },
  ];
  return (
    <DataTable
      label={label}
      pages={wholeList(lines)}
      columns={columns}
      keyOf={({ kind, date, sku, revision, description, amount }) =>
        `${kind} ${date} ${sku} ${revision} ${description.en} ${amount}`
      }
      empty={<Muted>{t("statements.noLines")}</Muted>}
    />
  );
}

const payers = ["package", "bonus", "balance", "owed"] as const;

/** Only those who paid something. */
export function PaidBy({ of }: { readonly of: ChargeLine["paidBy"] }): ReactNode {
  const { t } = useText();
  const paid = payers.filter((payer) => fenOf(of[payer]) !== 0n);
  if (paid.length === 0) return "—";
  return paid
    .map((payer) => `${t(`statements.payer.${payer}`)} ${moneyText(of[payer])}`)
    .join(" · ");
}
