/** THE table of what may be done to an instance in which state; buttons and bulk actions ask it. */
import { useMemo } from "react";
import type { AnswerOf } from "#client/types.ts";

import { call } from "#console/api/client.ts";
import type { BulkAction } from "#console/components/bulk.tsx";
import { useText, type Translate } from "#console/i18n/index.ts";
import { useMay } from "#console/api/session.ts";

export type Lease = AnswerOf<"getLease">;
export type LeaseAction = "start" | "stop" | "reboot" | "release";

const allowedIn: Readonly<Record<LeaseAction, readonly Lease["state"][]>> = {
  start: ["stopped", "failed"],
  stop: ["running", "starting"],
  reboot: ["running"],
  release: ["queued", "creating", "running", "stopping", "stopped", "starting", "failed"],
};

/** Why it cannot be done now; `undefined` when it can. */
export function refusalOf(action: LeaseAction, lease: Lease, t: Translate): string | undefined {
  if (allowedIn[action].includes(lease.state)) return undefined;
  return t(`instances.whyNot.${action}`, { state: t(`states.lease.${lease.state}`) });
}

/** Of a subscription the size is bought: it is changed where the subscription is. */
export function resizeRefusal(lease: Lease, t: Translate): string | undefined {
  if (lease.plan === "subscription") return t("instances.whyNot.resizePlan");
  if (lease.state === "running" || lease.state === "stopped") return undefined;
  return t("instances.whyNot.resize", { state: t(`states.lease.${lease.state}`) });
}

/** What its platform cannot, the server says. */
export function cloneRefusal(lease: Lease, t: Translate): string | undefined {
  if (lease.state === "running" || lease.state === "stopped") return undefined;
  return t("instances.whyNot.clone", { state: t(`states.lease.${lease.state}`) });
}

/** Only the state counts here: the dialog says of what runs and cannot move why, and what happens instead. */
export function moveRefusal({ state }: Pick<Lease, "state">, t: Translate): string | undefined {
  if (state === "running") return undefined;
  return t("instances.whyNot.move", { state: t(`states.lease.${state}`) });
}

export function useLeaseActions(): readonly BulkAction<Lease>[] {
  const { t } = useText();
  const mayUse = useMay()("compute.use");
  return useMemo(() => actionsOf(t, mayUse), [t, mayUse]);
}

function actionsOf(t: Translate, mayUse: boolean): readonly BulkAction<Lease>[] {
  const make = (key: LeaseAction, run: (leaseId: string) => Promise<unknown>) => ({
    key,
    label: t(`instances.${key}`),
    title: (count: number) => t(`instances.${key}Title`, { count }),
    text: t(`instances.${key}Text`),
    refuse: (lease: Lease) =>
      mayUse ? refusalOf(key, lease, t) : t("instances.whyNot.permission"),
    run: (lease: Lease) => run(lease.id),
  });
  return [
    { ...make("start", (leaseId) => call("startLease", { params: { leaseId } })), icon: "play" },
    { ...make("stop", (leaseId) => call("stopLease", { params: { leaseId } })), icon: "stop" },
    {
      ...make("reboot", (leaseId) => call("rebootLease", { params: { leaseId } })),
      icon: "refresh",
    },
    {
      ...make("release", (leaseId) => call("releaseLease", { params: { leaseId } })),
      icon: "trash",
      isDangerous: true,
    },
  ];
}
