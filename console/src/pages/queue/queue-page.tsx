/** For the operator: who waits and why, what holds for the queue, and what would be if. */
import type { ReactNode } from "react";

import { PageHead } from "#console/components/page-head.tsx";
import { oneOf, useSearchParams } from "#console/components/search-params.ts";
import { useText } from "#console/i18n/index.ts";
import { Tabs } from "#console/ui/tabs.tsx";

import { Limits } from "./limits.tsx";
import { FleetPlan } from "./plan.tsx";
import { Policy } from "./policy.tsx";
import { Replay } from "./replay.tsx";
import { Waiting } from "./waiting.tsx";

const tabNames = ["waiting", "limits", "policy", "plan", "replay"] as const;

export function QueuePage(): ReactNode {
  const { t } = useText();
  const [{ tab = "waiting" }, setSearch] = useSearchParams({ tab: oneOf(tabNames) });
  return (
    <>
      <PageHead title={t("queue.title")} lead={t("queue.lead")} />
      <Tabs
        label={t("queue.title")}
        value={tab}
        onChange={(next) => setSearch({ tab: next === "waiting" ? undefined : next }, "step")}
        tabs={[
          { value: "waiting", label: t("queue.tab.waiting"), content: () => <Waiting /> },
          { value: "limits", label: t("queue.tab.limits"), content: () => <Limits /> },
          { value: "policy", label: t("queue.tab.policy"), content: () => <Policy /> },
          { value: "plan", label: t("queue.tab.plan"), content: () => <FleetPlan /> },
          { value: "replay", label: t("queue.tab.replay"), content: () => <Replay /> },
        ]}
      />
    </>
  );
}
