/** Every movement of money, as the ledger has it: each journal sums to zero. */
import type { ReactNode } from "react";
import type { ItemOf } from "#client/types.ts";

import { usePages } from "#console/api/queries.ts";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { Money } from "#console/components/money.tsx";
import { When } from "#console/components/when.tsx";
import { useServerWords } from "#console/components/server-words.ts";
import { textIfThere, useText } from "#console/i18n/index.ts";
import { Stack } from "#console/ui/layout.tsx";
import { Muted, Text } from "#console/ui/text.tsx";

type Journal = ItemOf<"listJournals">;

export function JournalsTab(): ReactNode {
  const { t } = useText();
  const told = useServerWords();
  const pages = usePages("listJournals", { query: { limit: 100 } });
  const columns: readonly Column<Journal>[] = [
    { key: "at", head: t("statements.when"), cell: ({ at }) => <When how="absolute" at={at} /> },
    {
      key: "kind",
      head: t("statements.kind"),
      isTitle: true,
      cell: ({ kind }) => textIfThere(`statements.kindOf.${kind}`) ?? kind,
    },
    {
      key: "text",
      head: t("common.details"),
      cell: ({ description }) => <Muted>{told(description)}</Muted>,
    },
    {
      key: "postings",
      head: t("statements.postings"),
      cell: ({ postings }) => (
        <ul className="plain-list">
          {postings.map(({ account, subject, amount, note }) => (
            <li
              key={`${account} ${subject} ${note} ${amount}`}
              style={{ display: "flex", justifyContent: "space-between", gap: "1rem" }}
            >
              <span>
                {textIfThere(`statements.account.${account}`) ?? account}{" "}
                <Muted>{note === "" ? subject.slice(0, 8) : note}</Muted>
              </span>
              <Money amount={amount} isSigned />
            </li>
          ))}
        </ul>
      ),
    },
  ];
  return (
    <Stack gap="sm">
      <Text>{t("statements.journalsLead")}</Text>
      <DataTable
        label={t("statements.tab.journals")}
        pages={pages}
        columns={columns}
        keyOf={({ id }) => id}
        empty={
          <EmptyState icon="list" title={t("statements.noJournals")} command="millrace journal" />
        }
      />
    </Stack>
  );
}
