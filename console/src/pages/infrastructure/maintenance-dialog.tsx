/**
 * Before a host goes into maintenance: which jobs would leave it and where they would not fit, which
 * instances move while they run or start elsewhere where their platform can do that, and what stays because
 * its disk is here, each with its name. Which of it would find another host is tried on
 * paper (`planFleet` without the host).
 */
import { useState, type ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { useAction, useApi } from "#console/api/queries.ts";
import { FormDialog } from "#console/components/form-dialog.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { useServerWords } from "#console/components/server-words.ts";
import { useText } from "#console/i18n/index.ts";
import { Notice, Skeleton } from "#console/ui/feedback.tsx";
import { RadioGroup } from "#console/ui/fields.tsx";
import { Icon, type IconName } from "#console/ui/icons.tsx";
import { Row, Stack } from "#console/ui/layout.tsx";
import { Muted, Text } from "#console/ui/text.tsx";
import { toast } from "#console/ui/toast.tsx";

import type { Host } from "./fleet.ts";
import type { Work } from "./host-work.tsx";

type Displaced = AnswerOf<"planFleet">["displaced"][number];

const hows = ["leave", "stay"] as const;
type How = (typeof hows)[number];

export function MaintenanceDialog({
  host,
  work,
  onClose,
}: {
  readonly host: Host;
  readonly work: readonly Work[];
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useText();
  const system = useApi("getSystem", {});
  const [how, setHow] = useState<How>("leave");
  const plan = useApi("planFleet", { body: { changes: [{ do: "remove", host: host.id }] } });
  const capabilities = system.data?.sites.find(({ site }) => site === host.site)?.capabilities;
  const can = (what: "moveLive" | "startElsewhere"): boolean => {
    const said = capabilities?.[what];
    return typeof said === "object" && said.can;
  };
  const isPending = plan.isPending || system.isPending;
  const update = useAction("updateHost", {
    onDone: () => {
      toast({ tone: "good", title: t("infrastructure.maintenance.begun", { name: host.name }) });
      onClose();
    },
  });
  const body = how === "leave" ? { maintenance: true } : { schedulable: false };
  const request = { params: { hostId: host.id }, body };
  return (
    <FormDialog
      title={t("infrastructure.maintenance.title", { name: host.name })}
      onClose={onClose}
      submitLabel={t("infrastructure.maintenance.begin")}
      isBusy={update.isPending}
      error={update.error}
      disabledReason={isPending ? t("infrastructure.maintenance.planning") : undefined}
      call={{
        operation: "updateHost",
        request,
        command: `millrace host ${how === "leave" ? "maintain" : "cordon"} ${host.name}`,
      }}
      onSubmit={() => update.mutate(request)}
      size="lg"
    >
      <Text>{t("infrastructure.maintenance.text")}</Text>
      <RadioGroup
        label={t("infrastructure.maintenance.how")}
        choices={hows.map((value) => ({
          value,
          label: t(`infrastructure.maintenance.hows.${value}`),
          description: t(`infrastructure.maintenance.howsText.${value}`),
        }))}
        value={how}
        onChange={setHow}
      />
      {plan.error === null ? null : (
        <ProblemBox error={plan.error} onRetry={() => void plan.refetch()} />
      )}
      {isPending ? <Skeleton label={t("infrastructure.maintenance.planning")} /> : null}
      {isPending || plan.data === undefined ? null : (
        <Plan
          plan={plan.data}
          how={how}
          work={work}
          movesLive={can("moveLive")}
          startsElsewhere={can("startElsewhere")}
        />
      )}
    </FormDialog>
  );
}

function Plan({
  plan,
  how,
  work,
  movesLive,
  startsElsewhere,
}: {
  readonly plan: AnswerOf<"planFleet">;
  readonly how: How;
  readonly work: readonly Work[];
  /** What its platform can do with an instance; one with a GPU never moves while it runs. */
  readonly movesLive: boolean;
  readonly startsElsewhere: boolean;
}): ReactNode {
  const { t } = useText();
  const { displaced } = plan;
  const jobs = displaced.filter(({ kind }) => kind === "job");
  const leases = displaced.filter(({ kind }) => kind === "lease");
  const stopped = work.filter(({ holds }) => holds === "disk").map(withoutReason);
  const withGpu = new Set(
    work.flatMap(({ requestId, gpus }) => (gpus.length > 0 ? requestId : [])),
  );
  const movingLive = leases.filter(({ requestId }) => movesLive && !withGpu.has(requestId));
  const staying = leases.filter((each) => !movingLive.includes(each)).map(withoutReason);
  const waiting = jobs.filter(({ reason }) => reason !== null);
  const moving = jobs.filter(({ reason }) => reason === null);
  if (displaced.length === 0 && stopped.length === 0) {
    return <Notice tone="good" title={t("infrastructure.maintenance.empty")} />;
  }
  const titled = (key: PartKey, of: readonly unknown[]): string =>
    t(`infrastructure.maintenance.${key}`, { count: of.length });
  return (
    <Stack>
      {how === "stay" ? (
        <List
          title={titled("workStays", displaced)}
          of={displaced.map(withoutReason)}
          icon="clock"
        />
      ) : (
        <>
          <List title={titled("jobsMove", moving)} of={moving} icon="check" />
          <List title={titled("jobsWait", waiting)} of={waiting} icon="alert" />
          <List title={titled("leasesMove", movingLive)} of={movingLive} icon="check" />
          {/* Whether another host had room for them is no matter: they do not go there by themselves. */}
          <List
            title={titled(startsElsewhere ? "leasesElsewhere" : "leasesStay", staying)}
            of={staying}
            icon="alert"
          />
        </>
      )}
      <List
        title={titled(startsElsewhere ? "disksElsewhere" : "disksStay", stopped)}
        of={stopped}
        icon="disk"
      />
    </Stack>
  );
}

type PartKey =
  | "jobsMove"
  | "jobsWait"
  | "leasesMove"
  | "leasesElsewhere"
  | "leasesStay"
  | "disksElsewhere"
  | "disksStay"
  | "workStays";
type Listed = Pick<Displaced, "name" | "reason">;

function withoutReason({ name }: { readonly name: string }): Listed {
  return { name, reason: null };
}

function List({
  title,
  of,
  icon,
}: {
  readonly title: string;
  readonly of: readonly Listed[];
  readonly icon: IconName;
}): ReactNode {
  const told = useServerWords();
  if (of.length === 0) return null;
  return (
    <div>
      <Row gap="xs" wrap="nowrap">
        <Icon name={icon} />
        <Text isStrong>{title}</Text>
      </Row>
      <ul className="name-list">
        {of.map(({ name, reason }, index) => (
          // oxlint-disable-next-line react/no-array-index-key -- names of different customers may be the same
          <li key={`${name} ${index}`}>
            {name}
            {reason === null ? null : (
              <>
                {" "}
                <Muted>{told(reason.message)}</Muted>
              </>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}
