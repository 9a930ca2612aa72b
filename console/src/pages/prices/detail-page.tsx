/** One version of the price profile: its figures, what differs from another one, its text. */
import { useState, type ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { useApi } from "#console/api/queries.ts";
import { CodeBlock } from "#console/components/copy.tsx";
import { PageHead } from "#console/components/page-head.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { oneOf, usePathParam, useSearchParams } from "#console/components/search-params.ts";
import { ShowAsCli } from "#console/components/show-as-cli.tsx";
import { useText } from "#console/i18n/index.ts";
import { Button, LinkButton } from "#console/ui/button.tsx";
import { Skeleton } from "#console/ui/feedback.tsx";
import { Stack } from "#console/ui/layout.tsx";
import { Tabs } from "#console/ui/tabs.tsx";

import { ActivateDialog } from "./activate-dialog.tsx";
import { useActivationRefusal } from "./activation.ts";
import { CompareTab } from "./compare-tab.tsx";
import { Figures } from "./figures.tsx";
import { Findings } from "./findings.tsx";
import { stateOf, versionName } from "./profile-state.ts";
import { yamlOf } from "./profile-yaml.ts";
import { ordered } from "./sections.ts";
import { useVersions } from "./use-versions.ts";
import { VersionBadge } from "./version-badge.tsx";

type Detail = AnswerOf<"getPriceProfile">;

const tabs = ["figures", "compare", "text"] as const;

export function PriceProfilePage(): ReactNode {
  const { t } = useText();
  const profileId = usePathParam("profileId");
  const detail = useApi("getPriceProfile", { params: { profileId } });
  const { today, current } = useVersions();
  const [isActivating, setActivating] = useState(false);
  const refused = useActivationRefusal(detail.data);
  const parent = { to: "/operate/prices", label: t("prices.title") };
  if (detail.data === undefined) {
    return (
      <>
        <PageHead title={t("prices.one")} parent={parent} />
        {detail.error === null ? (
          <Skeleton lines={8} label={t("common.loading")} />
        ) : (
          <ProblemBox error={detail.error} onRetry={() => void detail.refetch()} />
        )}
      </>
    );
  }
  const state = stateOf(detail.data, { today, current });
  const day = detail.data.activeFrom ?? "";
  const leads = {
    draft: t("prices.isDraft"),
    scheduled: t("prices.isScheduled", { day }),
    current: t("prices.isInForce", { day }),
    past: t("prices.isPast", { day }),
  };
  return (
    <>
      <PageHead
        title={versionName(detail.data)}
        lead={leads[state]}
        parent={parent}
        badge={<VersionBadge state={state} />}
        actions={
          <>
            <LinkButton to="/operate/prices/new" search={{ from: profileId }} icon="edit">
              {t("prices.editAsNew")}
            </LinkButton>
            <LinkButton to="/operate/prices/replay" search={{ profile: profileId }} icon="refresh">
              {t("prices.replayTitle")}
            </LinkButton>
            {state === "draft" ? (
              <Button
                kind="primary"
                icon="check"
                disabledReason={refused}
                onClick={() => setActivating(true)}
              >
                {t("prices.activate")}
              </Button>
            ) : null}
          </>
        }
      />
      <Stack>
        <Findings findings={detail.data.findings} />
        <Views detail={detail.data} />
      </Stack>
      {isActivating ? (
        <ActivateDialog version={detail.data} onClose={() => setActivating(false)} />
      ) : null}
    </>
  );
}

function Views({ detail }: { readonly detail: Detail }): ReactNode {
  const { t } = useText();
  const [{ tab = "figures" }, setSearch] = useSearchParams({ tab: oneOf(tabs) });
  const { id, profile } = detail;
  const contents = {
    figures: () => <Figures profile={profile} />,
    compare: () => <CompareTab id={id} profile={profile} />,
    text: () => (
      <Stack gap="sm">
        <CodeBlock text={yamlOf(ordered(profile))} label={t("prices.theText")} />
        <div>
          <ShowAsCli
            operation="getPriceProfile"
            request={{ params: { profileId: id } }}
            command={`millrace profile show ${id}`}
          />
        </div>
      </Stack>
    ),
  };
  return (
    <Tabs
      label={t("prices.tabs")}
      value={tab}
      onChange={(next) => setSearch({ tab: next === "figures" ? undefined : next })}
      tabs={tabs.map((value) => ({
        value,
        label: t(`prices.tab.${value}`),
        content: contents[value],
      }))}
    />
  );
}
