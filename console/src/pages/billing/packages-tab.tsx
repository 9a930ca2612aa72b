/** Packages of credit for jobs: what can be bought, what is left, and giving one back. */
import { useState, type ReactNode } from "react";
import type { ItemOf } from "#client/types.ts";

import { useAction, useApi, usePages } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import { ConfirmDialog } from "#console/components/confirm-dialog.tsx";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { fenOf, Money, moneyText } from "#console/components/money.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Badge, Skeleton } from "#console/ui/feedback.tsx";
import { Card, Grid, Stack } from "#console/ui/layout.tsx";
import { Figure, Heading, Muted, Text } from "#console/ui/text.tsx";
import { toast } from "#console/ui/toast.tsx";

import { OrderDialog } from "./order-dialog.tsx";

type Package = ItemOf<"listPackages">;

const looks = {
  usable: ["good", "check"],
  refunded: ["quiet", "minus"],
  expired: ["quiet", "clock"],
} as const;

export function PackagesTab(): ReactNode {
  const { t } = useText();
  const may = useMay();
  const prices = useApi("getPriceList");
  const pages = usePages("listPackages", { query: { limit: 50 } });
  const [code, setCode] = useState<string>();
  const [returned, setReturned] = useState<Package>();
  const buy = useAction("buyPackage", {
    onDone: (bought) => {
      setCode(undefined);
      toast({ tone: "good", title: t("orders.bought", { name: bought.code }) });
    },
  });
  const refund = useAction("refundPackage", {
    onDone: ({ refunded }) => {
      setReturned(undefined);
      toast({
        tone: "good",
        title: t("orders.package.refunded"),
        text: t("orders.package.refundedText", { amount: moneyText(refunded) }),
      });
    },
  });
  return (
    <Stack>
      <Text>{t("orders.package.lead")}</Text>
      {prices.error === null ? null : (
        <ProblemBox error={prices.error} onRetry={() => void prices.refetch()} />
      )}
      {prices.isPending ? <Skeleton height={120} label={t("common.loading")} /> : null}
      <Grid columns={3}>
        {prices.data?.packages.map((each) => (
          <Card key={each.code} title={each.code}>
            <Stack gap="sm">
              <Figure label={t("orders.price")}>
                <Money amount={each.price} />
              </Figure>
              <Muted>
                {fenOf(each.bonus) === 0n
                  ? t("orders.package.months", { count: each.validMonths })
                  : t("orders.package.bonusMonths", {
                      bonus: moneyText(each.bonus),
                      count: each.validMonths,
                    })}
              </Muted>
              <div>
                <Button
                  onClick={() => setCode(each.code)}
                  disabledReason={may("billing.manage") ? undefined : t("billing.mayNot")}
                >
                  {t("orders.buy")}
                </Button>
              </div>
            </Stack>
          </Card>
        ))}
      </Grid>
      <Heading level={2}>{t("orders.package.yours")}</Heading>
      <DataTable
        label={t("orders.package.yours")}
        pages={pages}
        columns={useColumns(setReturned)}
        keyOf={(each) => each.id}
        empty={
          <EmptyState
            icon="offer"
            title={t("orders.package.emptyTitle")}
            text={t("orders.package.emptyText")}
            command="millrace package buy P1000"
          />
        }
      />
      {code === undefined ? null : (
        <OrderDialog
          title={t("orders.package.buyTitle", { code })}
          ask={{ kind: "package", code }}
          confirmLabel={t("orders.payNow")}
          onOrder={({ amount }) => buy.mutate({ body: { code, expectedAmount: amount } })}
          cli={({ amount }) => ({
            operation: "buyPackage",
            request: { body: { code, expectedAmount: amount } },
          })}
          isBusy={buy.isPending}
          error={buy.error}
          onClose={() => setCode(undefined)}
        />
      )}
      {returned === undefined ? null : (
        <ConfirmDialog
          call={{ operation: "refundPackage", request: { params: { packageId: returned.id } } }}
          isOpen
          onClose={() => setReturned(undefined)}
          onConfirm={() => refund.mutate({ params: { packageId: returned.id } })}
          title={t("orders.package.refundTitle", { code: returned.code })}
          confirmLabel={t("orders.package.refund")}
          isDangerous
          isBusy={refund.isPending}
          error={refund.error}
        >
          <Text>
            {t("orders.package.refundText", {
              principal: moneyText(returned.left.principal),
              bonus: moneyText(returned.left.bonus),
            })}
          </Text>
        </ConfirmDialog>
      )}
    </Stack>
  );
}

function useColumns(onRefund: (chosen: Package) => void): readonly Column<Package>[] {
  const { t } = useText();
  const mayManage = useMay()("billing.manage");
  return [
    { key: "code", head: t("common.name"), isTitle: true, cell: ({ code }) => code },
    {
      key: "state",
      head: t("common.state"),
      cell: ({ state }) => (
        <Badge tone={looks[state][0]} icon={looks[state][1]}>
          {t(`orders.package.state.${state}`)}
        </Badge>
      ),
    },
    {
      key: "price",
      head: t("orders.price"),
      align: "end",
      cell: ({ price }) => <Money amount={price} />,
    },
    {
      key: "principal",
      head: t("orders.package.principal"),
      align: "end",
      cell: ({ left }) => <Money amount={left.principal} />,
    },
    {
      key: "bonus",
      head: t("orders.package.bonus"),
      align: "end",
      cell: ({ left, bonus }) => (
        <>
          <Money amount={left.bonus} /> <Muted>/ {moneyText(bonus)}</Muted>
        </>
      ),
    },
    {
      key: "until",
      head: t("orders.package.through"),
      cell: ({ usableThrough, expiresAt }) => (
        <span title={usableThrough}>
          <When at={expiresAt} how="day" />
        </span>
      ),
    },
    {
      key: "do",
      head: t("common.actions"),
      isHeadHidden: true,
      cell: (each) => (
        <Button
          size="xs"
          kind="quiet"
          onClick={() => onRefund(each)}
          disabledReason={
            !mayManage
              ? t("billing.mayNot")
              : each.state === "usable"
                ? undefined
                : t("orders.package.notUsable")
          }
        >
          {t("orders.package.refund")}
        </Button>
      ),
    },
  ];
}
