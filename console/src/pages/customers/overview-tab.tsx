/** The customer at a glance: the account, its money, where it stands, what is to be looked after. */
import { useState, type ReactNode } from "react";

import { useAction, useApi } from "#console/api/queries.ts";
import { useMay, useTimeZone } from "#console/api/session.ts";
import { CopyLine } from "#console/components/copy.tsx";
import { todayIn } from "#console/components/date-range.tsx";
import { FormDialog } from "#console/components/form-dialog.tsx";
import { Money } from "#console/components/money.tsx";
import { fieldError } from "#console/components/problem-box.tsx";
import { StateBadge } from "#console/components/state-badge.tsx";
import { useNow, When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { TextField } from "#console/ui/fields.tsx";
import { Card, Facts, Grid, Row, Stack } from "#console/ui/layout.tsx";
import { Figure, Muted, Text } from "#console/ui/text.tsx";

import { StageBadge, TierBadge } from "./badges.tsx";
import { Answered } from "./answered.tsx";
import { TaskList } from "./task-list.tsx";
import type { Tenant } from "./tenant.ts";

export function OverviewTab({ tenant }: { readonly tenant: Tenant }): ReactNode {
  return (
    <Stack>
      <Grid columns={3}>
        <AccountCard tenant={tenant} />
        <MoneyCard />
        <StandingCard />
      </Grid>
      <TasksCard tenantId={tenant.id} />
    </Stack>
  );
}

function AccountCard({ tenant }: { readonly tenant: Tenant }): ReactNode {
  const { t } = useText();
  const mayManage = useMay()("tenant.manage");
  const [isRenaming, setRenaming] = useState(false);
  const tier = useApi("getTier");
  return (
    <Card
      title={t("customers.account")}
      action={
        <Button
          size="xs"
          icon="edit"
          onClick={() => setRenaming(true)}
          disabledReason={mayManage ? undefined : t("customers.operatorOnly")}
        >
          {t("customers.rename")}
        </Button>
      }
    >
      <Facts
        rows={[
          [t("common.state"), <StateBadge key="state" of="tenant" state={tenant.state} />],
          [
            t("customers.tier"),
            tier.data === undefined ? (
              "…"
            ) : (
              <TierBadge key="tier" tier={tier.data.tier} isByHand={tier.data.override !== null} />
            ),
          ],
          [t("customers.name"), tenant.name],
          [t("customers.zone"), tenant.timeZone],
          [t("customers.since"), <When key="since" at={tenant.createdAt} how="day" />],
          [t("customers.id"), <CopyLine key="id" text={tenant.id} />],
        ]}
      />
      {isRenaming ? <RenameDialog tenant={tenant} onClose={() => setRenaming(false)} /> : null}
    </Card>
  );
}

function MoneyCard(): ReactNode {
  const { t } = useText();
  const month = todayIn(useTimeZone(), useNow(true, 60_000)).slice(0, 7);
  const balance = useApi("getBalance", {}, { everyMs: 60_000 });
  const spent = useApi("getStatement", { query: { month } });
  return (
    <Card title={t("customers.tab.money")}>
      <Answered of={balance}>
        {({ available, burnPerHour, held, owed }) => (
          <Stack gap="sm">
            <Row gap="md">
              <Figure label={t("customers.available")}>
                <Money amount={available} />
              </Figure>
              <Figure label={t("customers.thisMonth")}>
                <Money amount={spent.data?.total} />
              </Figure>
            </Row>
            <Facts
              rows={[
                [t("customers.burn"), <Money key="burn" amount={burnPerHour} />],
                [t("customers.held"), <Money key="held" amount={held} />],
                [t("customers.owed"), <Money key="owed" amount={owed} />],
              ]}
            />
          </Stack>
        )}
      </Answered>
    </Card>
  );
}

function StandingCard(): ReactNode {
  const { t } = useText();
  const standing = useApi("getStanding", {}, { everyMs: 60_000 });
  return (
    <Card
      title={t("customers.standing")}
      action={standing.data === undefined ? null : <StageBadge stage={standing.data.stage} />}
    >
      <Answered of={standing}>
        {({ stage, since, next, toLeave, toBeWell }) => (
          <Stack gap="sm">
            <Text>{t(`customers.stage.${stage}.text`)}</Text>
            <Facts
              rows={[
                ...(since === null || stage === "ok"
                  ? []
                  : [[t("customers.stageSince"), <When key="s" how="both" at={since} />] as const]),
                [
                  t("customers.next"),
                  next === null ? (
                    <Muted>{t("customers.nothingNext")}</Muted>
                  ) : (
                    <span key="next">
                      {t(`customers.stage.${next.stage}.name`)}, <When how="both" at={next.at} />
                    </span>
                  ),
                ],
                ...(stage === "ok"
                  ? []
                  : [
                      [t("customers.toLeave"), <Money key="leave" amount={toLeave} />] as const,
                      [t("customers.toBeWell"), <Money key="well" amount={toBeWell} />] as const,
                    ]),
              ]}
            />
          </Stack>
        )}
      </Answered>
    </Card>
  );
}

function TasksCard({ tenantId }: { readonly tenantId: string }): ReactNode {
  const { t, language } = useText();
  const tasks = useApi("listCustomerTasks", { query: { tenantId, language, limit: 50 } });
  return (
    <Card title={t("customers.toLookAfter")}>
      <Answered of={tasks}>
        {({ items }) =>
          items.length === 0 ? <Muted>{t("customers.noTasks")}</Muted> : <TaskList of={items} />
        }
      </Answered>
    </Card>
  );
}

function RenameDialog({
  tenant,
  onClose,
}: {
  readonly tenant: Tenant;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useText();
  const [displayName, setDisplayName] = useState(tenant.displayName);
  const update = useAction("updateTenant", { onDone: onClose });
  const next = displayName.trim();
  const request = { params: { tenantId: tenant.id }, body: { displayName: next } };
  return (
    <FormDialog
      title={t("customers.rename")}
      onClose={onClose}
      submitLabel={t("common.save")}
      isBusy={update.isPending}
      error={update.error}
      disabledReason={
        next === "" || next === tenant.displayName ? t("account.nothingChanged") : undefined
      }
      call={{ operation: "updateTenant", request }}
      onSubmit={() => update.mutate(request)}
    >
      <TextField
        label={t("customers.displayName")}
        description={t("customers.displayNameHelp")}
        value={displayName}
        onChange={setDisplayName}
        maxLength={100}
        autoFocus
        error={fieldError(update.error, "displayName")}
      />
    </FormDialog>
  );
}
