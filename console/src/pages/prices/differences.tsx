/** What differs between two profiles: figure, before, after, and by how much. */
import type { ReactNode } from "react";

import { DataTable, type Column } from "#console/components/data-table.tsx";
import { moneyText } from "#console/components/money.tsx";
import { useText } from "#console/i18n/index.ts";
import { wholeList } from "#console/pages/billing/whole-list.ts";
import { Icon } from "#console/ui/icons.tsx";
import { Muted, Text } from "#console/ui/text.tsx";

import { fieldName } from "./figures.tsx";
import type { Difference } from "./profile-diff.ts";
import { isAmount } from "./sections.ts";

export function Differences({
  differences,
}: {
  readonly differences: readonly Difference[];
}): ReactNode {
  const { t } = useText();
  const columns: readonly Column<Difference>[] = [
    {
      key: "figure",
      head: t("prices.figure"),
      isTitle: true,
      cell: ({ path }) => path.map(fieldName).join(" · "),
    },
    {
      key: "before",
      head: t("prices.before"),
      align: "end",
      cell: ({ path, before }) => shown(path, before),
    },
    {
      key: "after",
      head: t("prices.after"),
      align: "end",
      cell: ({ path, after }) => shown(path, after),
    },
    {
      key: "change",
      head: t("prices.change"),
      align: "end",
      cell: ({ changePermille }) => <Change permille={changePermille} />,
    },
  ];
  if (differences.length === 0) {
    return (
      <div>
        <Text isStrong>{t("prices.same")}</Text>
        <Muted>{t("prices.sameText")}</Muted>
      </div>
    );
  }
  return (
    <>
      <Text isStrong>{t("prices.differs", { count: differences.length })}</Text>
      <DataTable
        label={t("prices.changes")}
        pages={wholeList(differences)}
        columns={columns}
        keyOf={({ path }) => JSON.stringify(path)}
        empty={null}
      />
    </>
  );
}

function shown(path: readonly string[], text: string | undefined): ReactNode {
  if (text === undefined) return "—";
  if (isAmount(path, text)) return <span className="tabular nowrap">{moneyText(text)}</span>;
  return <span className="tabular">{text}</span>;
}

function Change({ permille }: { readonly permille: number | undefined }): ReactNode {
  if (permille === undefined) return "—";
  const percent = Math.abs(permille / 10)
    .toFixed(1)
    .replace(/\.0$/, "");
  const sign = permille > 0 ? "+" : permille < 0 ? "−" : "";
  return (
    <span className="tabular nowrap">
      {permille === 0 ? null : <Icon name={permille > 0 ? "up" : "down"} size={13} />} {sign}
      {percent} %
    </span>
  );
}
