/** Why the customer has his tier, what it gives, what the next takes; and the tier by hand. */
import { useState, type ReactNode } from "react";
import type { ItemOf } from "#client/types.ts";

import { useAction, useApi, usePages } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import { ConfirmDialog } from "#console/components/confirm-dialog.tsx";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { fenOf, Money, moneyText } from "#console/components/money.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Notice } from "#console/ui/feedback.tsx";
import { Card, Facts, Grid, Row, Stack } from "#console/ui/layout.tsx";
import { Code, Heading, Muted, Text } from "#console/ui/text.tsx";

import { Answered } from "./answered.tsx";
import { TierBadge } from "./badges.tsx";
import { OverrideDialog } from "./override-dialog.tsx";

type Change = ItemOf<"listTierChanges">;

export function TierTab(): ReactNode {
  const { t } = useText();
  const mayManage = useMay()("platform.manage");
  const tier = useApi("getTier");
  const [asked, setAsked] = useState<"override" | "end">();
  const end = useAction("endTierOverride", { onDone: () => setAsked(undefined) });
  const mayNot = mayManage ? undefined : t("customers.operatorOnly");
  const override = tier.data?.override ?? null;
  return (
    <Stack>
      <Row>
        <Button icon="edit" onClick={() => setAsked("override")} disabledReason={mayNot}>
          {t("customers.override.title")}
        </Button>
        <Button
          icon="close"
          onClick={() => {
            end.reset();
            setAsked("end");
          }}
          disabledReason={mayNot ?? (override === null ? t("customers.override.none") : undefined)}
        >
          {t("customers.override.end")}
        </Button>
      </Row>
      {override === null ? null : (
        <Notice tone="info" title={t("customers.override.lasts")}>
          <bdi>{override.reason}</bdi>
          <div>
            {t("customers.override.by", {
              approver: override.approvedBy,
              user: override.createdBy,
            })}{" "}
            <When how="absolute" at={override.fromAt} /> –{" "}
            <When how="absolute" at={override.untilAt} />
          </div>
        </Notice>
      )}
      <Grid columns={2}>
        <WhyCard />
        <GivesCard />
      </Grid>
      <NextCard />
      <Heading level={2}>{t("customers.tierChanges")}</Heading>
      <Changes />
      {asked === "override" ? <OverrideDialog onClose={() => setAsked(undefined)} /> : null}
      <ConfirmDialog
        call={{
          operation: "endTierOverride",
          request: {},
          command: "millrace tier end-override",
        }}
        isOpen={asked === "end"}
        onClose={() => setAsked(undefined)}
        onConfirm={() => end.mutate({})}
        title={t("customers.override.endTitle")}
        confirmLabel={t("customers.override.end")}
        isBusy={end.isPending}
        error={end.error}
      >
        <Text>{t("customers.override.endText")}</Text>
      </ConfirmDialog>
    </Stack>
  );
}

function WhyCard(): ReactNode {
  const { t } = useText();
  const tier = useApi("getTier");
  return (
    <Card title={t("customers.tier")}>
      <Answered of={tier}>
        {({ tier: name, byPayments, override, holdUntil, netPaid }) => (
          <Facts
            rows={[
              [
                t("customers.tierNow"),
                <TierBadge key="now" tier={name} isByHand={override !== null} />,
              ],
              [t("customers.byPayments"), <TierBadge key="paid" tier={byPayments} />],
              [t("customers.holdUntil"), holdUntil ?? "—"],
              [t("customers.paid12m"), <Money key="12m" amount={netPaid.netPaid12m} />],
              [
                t("customers.paid3m"),
                netPaid.netPaidLast3Months.map((amount) => moneyText(amount)).join(" · ") || "—",
              ],
              [t("customers.paidInAll"), <Money key="all" amount={netPaid.cumulative} />],
            ]}
          />
        )}
      </Answered>
    </Card>
  );
}

function GivesCard(): ReactNode {
  const { t } = useText();
  const tier = useApi("getTier");
  return (
    <Card title={t("customers.gives")}>
      <Answered of={tier}>
        {({ benefits }) => (
          <Facts
            rows={[
              [t("billing.tier.priority"), t(`billing.tier.priorityOf.${benefits.priority}`)],
              [
                t("billing.tier.support"),
                <span key="support">
                  {t(`billing.tier.supportOf.${benefits.support}`)}
                  {benefits.supportBoughtUntil === null ? null : (
                    <Muted>
                      {" "}
                      ({t("customers.boughtUntil")}{" "}
                      <When how="day" at={benefits.supportBoughtUntil} />)
                    </Muted>
                  )}
                </span>,
              ],
              [t("billing.tier.contact"), t(`billing.tier.contactOf.${benefits.contact}`)],
              [t("billing.tier.storage"), t(`billing.tier.storageOf.${benefits.storage}`)],
              [t("customers.reviews"), t(`customers.reviewOf.${benefits.review}`)],
            ]}
          />
        )}
      </Answered>
    </Card>
  );
}

function NextCard(): ReactNode {
  const { t } = useText();
  const tier = useApi("getTier");
  return (
    <Card title={t("customers.nextTier")}>
      <Answered of={tier} lines={2}>
        {({ next }) =>
          next.length === 0 ? (
            <Muted>{t("customers.noNextTier")}</Muted>
          ) : (
            <ul className="plain-list">
              {next.map((way) => (
                <li key={`${way.tier} ${way.rule}`} className="line">
                  <Row gap="sm">
                    <TierBadge tier={way.tier} />
                    <span>
                      {t(fenOf(way.missing) === 0n ? "customers.reached" : "customers.missing", {
                        amount: moneyText(way.missing),
                        before: way.before,
                      })}
                    </span>
                    <Muted>
                      {t("customers.wouldSave", {
                        storage: moneyText(way.storageSaving),
                        renewal: moneyText(way.renewalSaving),
                      })}
                    </Muted>
                  </Row>
                  <span className="nowrap">
                    <Code>{way.rule}</Code>
                  </span>
                </li>
              ))}
            </ul>
          )
        }
      </Answered>
    </Card>
  );
}

function Changes(): ReactNode {
  const { t } = useText();
  const pages = usePages("listTierChanges", { query: { limit: 50 } });
  const columns: readonly Column<Change>[] = [
    { key: "from", head: t("customers.from"), cell: ({ effective }) => effective },
    {
      key: "tier",
      head: t("customers.tier"),
      isTitle: true,
      cell: ({ tier, tierBefore }) => (
        <Row gap="xs" wrap="nowrap">
          <TierBadge tier={tierBefore} /> → <TierBadge tier={tier} />
        </Row>
      ),
    },
    {
      key: "why",
      head: t("customers.why"),
      cell: ({ reason, rule }) => (
        <>
          {t(`billing.tier.reasonOf.${reason}`)} <Code>{rule}</Code>
        </>
      ),
    },
    {
      key: "12m",
      head: t("customers.paid12m"),
      align: "end",
      cell: ({ inputs }) => <Money amount={inputs.netPaid12m} />,
    },
    {
      key: "all",
      head: t("customers.paidInAll"),
      align: "end",
      cell: ({ inputs }) => <Money amount={inputs.cumulative} />,
    },
    { key: "hold", head: t("customers.holdUntil"), cell: ({ holdUntil }) => holdUntil ?? "—" },
  ];
  return (
    <DataTable
      label={t("customers.tierChanges")}
      pages={pages}
      columns={columns}
      keyOf={({ id }) => id}
      empty={<Muted>{t("customers.noTierChanges")}</Muted>}
    />
  );
}
