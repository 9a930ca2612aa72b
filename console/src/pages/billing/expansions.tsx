/** More of a subscription's machine for some days: list, longer, and back before its time. */
import { useState, type ReactNode } from "react";

import { useAction, usePages } from "#console/api/queries.ts";
import { ConfirmDialog } from "#console/components/confirm-dialog.tsx";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { Money, moneyText } from "#console/components/money.tsx";
import { When } from "#console/components/when.tsx";
import { useServerWords } from "#console/components/server-words.ts";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Badge } from "#console/ui/feedback.tsx";
import { NumberField } from "#console/ui/fields.tsx";
import { Row } from "#console/ui/layout.tsx";
import { Muted, Text } from "#console/ui/text.tsx";
import { toast } from "#console/ui/toast.tsx";

import { OrderDialog } from "./order-dialog.tsx";
import { useRefusals, type Expansion } from "./subscription-actions.ts";

const looks = {
  resizing: ["info", "refresh"],
  scheduled: ["info", "clock"],
  active: ["good", "check"],
  ended: ["quiet", "minus"],
} as const;
const daysMax = 366;

export function Expansions({
  nameOf,
}: {
  readonly nameOf: (subscriptionId: string) => string;
}): ReactNode {
  const { t } = useText();
  const told = useServerWords();
  const refusals = useRefusals();
  const pages = usePages("listExpansions", { query: { limit: 50 } }, { everyMs: 30_000 });
  const [extended, setExtended] = useState<Expansion>();
  const [released, setReleased] = useState<Expansion>();
  const release = useAction("releaseExpansion", {
    onDone: ({ refund }) => {
      setReleased(undefined);
      toast({
        tone: "good",
        title: t("orders.expansion.released"),
        text: t("orders.package.refundedText", { amount: moneyText(refund) }),
      });
    },
  });
  const columns: readonly Column<Expansion>[] = [
    {
      key: "of",
      head: t("orders.expansion.of"),
      isTitle: true,
      cell: ({ subscriptionId }) => nameOf(subscriptionId),
    },
    {
      key: "state",
      head: t("common.state"),
      cell: ({ state, reason }) => (
        <Badge
          tone={looks[state][0]}
          icon={looks[state][1]}
          title={reason === null ? undefined : told(reason.message)}
        >
          {t(`orders.expansion.state.${state}`)}
        </Badge>
      ),
    },
    {
      key: "items",
      head: t("orders.expansion.units"),
      cell: ({ items }) => items.map(({ sku, units }) => `${units} × ${sku}`).join(", "),
    },
    { key: "days", head: t("orders.expansion.days"), align: "end", cell: ({ days }) => days },
    {
      key: "amount",
      head: t("orders.price"),
      align: "end",
      cell: ({ amount }) => <Money amount={amount} />,
    },
    {
      key: "ends",
      head: t("orders.expansion.until"),
      cell: ({ endsAt }) => <When how="both" at={endsAt} />,
    },
    {
      key: "do",
      head: t("common.actions"),
      isHeadHidden: true,
      cell: (expansion) => (
        <Row gap="xs" wrap="nowrap">
          <Button
            size="xs"
            onClick={() => setExtended(expansion)}
            disabledReason={refusals.ofExpansion("extend", expansion)}
          >
            {t("orders.expansion.extend")}
          </Button>
          <Button
            size="xs"
            kind="quiet"
            onClick={() => setReleased(expansion)}
            disabledReason={refusals.ofExpansion("release", expansion)}
          >
            {t("orders.expansion.release")}
          </Button>
        </Row>
      ),
    },
  ];
  return (
    <>
      <DataTable
        label={t("orders.expansion.title")}
        pages={pages}
        columns={columns}
        keyOf={(each) => each.id}
        empty={<Muted>{t("orders.expansion.none")}</Muted>}
      />
      {extended === undefined ? null : (
        <ExtendDialog expansion={extended} onClose={() => setExtended(undefined)} />
      )}
      {released === undefined ? null : (
        <ConfirmDialog
          call={{
            operation: "releaseExpansion",
            request: { params: { expansionId: released.id } },
          }}
          isOpen
          onClose={() => setReleased(undefined)}
          onConfirm={() => release.mutate({ params: { expansionId: released.id } })}
          title={t("orders.expansion.releaseTitle")}
          confirmLabel={t("orders.expansion.release")}
          isDangerous
          isBusy={release.isPending}
          error={release.error}
        >
          <Text>{t("orders.expansion.releaseText")}</Text>
        </ConfirmDialog>
      )}
    </>
  );
}

function ExtendDialog({
  expansion,
  onClose,
}: {
  readonly expansion: Expansion;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useText();
  const [days, setDays] = useState<number | undefined>(expansion.days);
  const extend = useAction("extendExpansion", { onDone: onClose });
  const params = { expansionId: expansion.id };
  return (
    <OrderDialog
      title={t("orders.expansion.extendTitle")}
      ask={
        days === undefined || days < 1
          ? undefined
          : { kind: "extension", expansionId: expansion.id, days }
      }
      missing={t("orders.expansion.chooseDays")}
      confirmLabel={t("orders.payNow")}
      onOrder={({ amount }) =>
        extend.mutate({ params, body: { days: days ?? 1, expectedAmount: amount } })
      }
      cli={({ amount }) => ({
        operation: "extendExpansion",
        request: { params, body: { days, expectedAmount: amount } },
      })}
      isBusy={extend.isPending}
      error={extend.error}
      onClose={onClose}
    >
      <NumberField
        label={t("orders.expansion.days")}
        value={days}
        min={1}
        max={daysMax}
        onChange={setDays}
      />
    </OrderDialog>
  );
}
