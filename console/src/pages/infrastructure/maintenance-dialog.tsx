/**
 * Before a host takes nothing new: what runs there, and on paper (`planFleet` without the host) which
 * of it would find another host and which would not, and why. Nothing is moved by this.
 */
import type { ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { useAction, useApi } from "#console/api/queries.ts";
import { FormDialog } from "#console/components/form-dialog.tsx";
import { Money } from "#console/components/money.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { useText } from "#console/i18n/index.ts";
import { Badge, Notice, Skeleton } from "#console/ui/feedback.tsx";
import { Facts, Stack } from "#console/ui/layout.tsx";
import { Heading, Muted, Text } from "#console/ui/text.tsx";
import { toast } from "#console/ui/toast.tsx";

import type { Host } from "./fleet.ts";

type Displaced = AnswerOf<"planFleet">["displaced"][number];

export function MaintenanceDialog({
  host,
  onClose,
}: {
  readonly host: Host;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useText();
  const plan = useApi("planFleet", { body: { changes: [{ do: "remove", host: host.id }] } });
  const update = useAction("updateHost", {
    onDone: () => {
      toast({ tone: "good", title: t("infrastructure.maintenance.begun", { name: host.name }) });
      onClose();
    },
  });
  const request = { params: { hostId: host.id }, body: { schedulable: false } };
  return (
    <FormDialog
      title={t("infrastructure.maintenance.title", { name: host.name })}
      onClose={onClose}
      submitLabel={t("infrastructure.maintenance.begin")}
      isBusy={update.isPending}
      error={update.error}
      disabledReason={plan.isPending ? t("infrastructure.maintenance.planning") : undefined}
      call={{ operation: "updateHost", request }}
      onSubmit={() => update.mutate(request)}
      size="lg"
    >
      <Text>{t("infrastructure.maintenance.text")}</Text>
      {plan.error === null ? null : (
        <ProblemBox error={plan.error} onRetry={() => void plan.refetch()} />
      )}
      {plan.isPending ? <Skeleton label={t("infrastructure.maintenance.planning")} /> : null}
      {plan.data === undefined ? null : <Plan plan={plan.data} />}
    </FormDialog>
  );
}

function Plan({ plan }: { readonly plan: AnswerOf<"planFleet"> }): ReactNode {
  const { t } = useText();
  const moves = plan.displaced.filter(({ reason }) => reason === null);
  const stays = plan.displaced.filter(({ reason }) => reason !== null);
  if (plan.displaced.length === 0) {
    return <Notice tone="good" title={t("infrastructure.maintenance.empty")} />;
  }
  return (
    <Stack>
      {stays.length === 0 ? (
        <Notice tone="good" title={t("infrastructure.maintenance.allMove")} />
      ) : (
        <Notice
          tone="attention"
          title={t("infrastructure.maintenance.someStay", { count: stays.length })}
        />
      )}
      <List
        title={t("infrastructure.maintenance.cannot", { count: stays.length })}
        of={stays}
        icon="alert"
      />
      <List
        title={t("infrastructure.maintenance.can", { count: moves.length })}
        of={moves}
        icon="check"
      />
      <Facts
        rows={[
          [
            t("infrastructure.maintenance.revenue"),
            <span key="revenue">
              <Money amount={plan.before.revenuePerHour} /> →{" "}
              <Money amount={plan.after.revenuePerHour} />
            </span>,
          ],
          [t("infrastructure.overview.waiting"), `${plan.before.waiting} → ${plan.after.waiting}`],
        ]}
      />
    </Stack>
  );
}

function List({
  title,
  of,
  icon,
}: {
  readonly title: string;
  readonly of: readonly Displaced[];
  readonly icon: "alert" | "check";
}): ReactNode {
  const { t } = useText();
  if (of.length === 0) return null;
  return (
    <div>
      <Heading level={3}>{title}</Heading>
      <ul className="plain-list">
        {of.map((each) => (
          <li key={each.requestId} className="line">
            <span style={{ minWidth: 0, overflowWrap: "anywhere" }}>
              {each.name}
              {each.reason === null ? null : (
                <>
                  {" "}
                  <Muted>{each.reason.message}</Muted>
                </>
              )}
            </span>
            <Badge tone={icon === "check" ? "good" : "attention"} icon={icon}>
              {t(`infrastructure.work.${each.kind}`)}
            </Badge>
          </li>
        ))}
      </ul>
    </div>
  );
}
