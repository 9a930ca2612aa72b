/** A month of real usage under another price profile: revenue, who wins and loses, whose tier moves. */
import { useState, type ReactNode } from "react";

import { useApi } from "#console/api/queries.ts";
import { useMay, useTimeZone } from "#console/api/session.ts";
import { todayIn } from "#console/components/date-range.tsx";
import { PageHead } from "#console/components/page-head.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { anyText, monthText, useSearchParams } from "#console/components/search-params.ts";
import { ShowAsCli } from "#console/components/show-as-cli.tsx";
import { useNow } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Progress } from "#console/ui/feedback.tsx";
import { DateField, Select } from "#console/ui/fields.tsx";
import { Card, Row, Stack } from "#console/ui/layout.tsx";

import { versionName } from "./profile-state.ts";
import { PriceReplay } from "./replay-result.tsx";
import { useVersions } from "./use-versions.ts";

export function ReplayPricesPage(): ReactNode {
  const { t } = useText();
  const may = useMay();
  const { query, versions } = useVersions();
  const thisMonth = todayIn(useTimeZone(), useNow(true, 60_000)).slice(0, 7);
  const [search, setSearch] = useSearchParams({ profile: anyText(40), month: monthText });
  const month = search.month ?? thisMonth;
  // Asked for by the button: a month of everybody takes the server a while.
  const [asked, setAsked] = useState<{ readonly profile: string; readonly month: string }>();
  const chosen = versions.find(({ id }) => id === search.profile);
  const detail = useApi(
    "getPriceProfile",
    { params: { profileId: chosen?.id ?? "" } },
    { enabled: chosen !== undefined },
  );
  const isAsked = asked !== undefined && asked.profile === chosen?.id && asked.month === month;
  const body = { month, profile: { ...detail.data?.profile } };
  const replay = useApi(
    "replayPrices",
    { body },
    { enabled: isAsked && detail.data?.id === chosen?.id && detail.data !== undefined },
  );
  const run = (): void => {
    if (chosen === undefined) return;
    if (isAsked) void replay.refetch();
    setAsked({ profile: chosen.id, month });
  };
  return (
    <>
      <PageHead
        title={t("prices.replayTitle")}
        lead={t("prices.replayLead")}
        parent={{ to: "/operate/prices", label: t("prices.title") }}
      />
      <Stack>
        {query.error === null ? null : <ProblemBox error={query.error} />}
        <Card>
          <Stack gap="sm">
            <div className="filters">
              <Select
                label={t("prices.profile")}
                placeholder={t("prices.chooseOther")}
                choices={versions.map((each) => ({ value: each.id, label: versionName(each) }))}
                value={chosen?.id}
                onChange={(profile) => setSearch({ profile })}
                isSearchable
              />
              <DateField
                kind="month"
                label={t("prices.month")}
                value={month}
                max={thisMonth}
                onChange={(value) => setSearch({ month: value })}
              />
            </div>
            <Row>
              <Button
                kind="primary"
                icon="refresh"
                isBusy={replay.isFetching}
                disabledReason={
                  may("catalog.manage")
                    ? chosen === undefined
                      ? t("prices.chooseFirst")
                      : undefined
                    : t("prices.mayNot")
                }
                onClick={run}
              >
                {t("prices.replay")}
              </Button>
              <ShowAsCli
                operation="replayPrices"
                request={{ body }}
                command={`millrace price replay --profile new.yaml --month ${month}`}
              />
            </Row>
            {replay.isFetching ? (
              <Progress share={undefined} label={t("prices.replayTitle")} />
            ) : null}
          </Stack>
        </Card>
        {replay.error === null || !isAsked ? null : (
          <ProblemBox error={replay.error} onRetry={() => void replay.refetch()} />
        )}
        {isAsked && replay.data !== undefined ? <PriceReplay replay={replay.data} /> : null}
      </Stack>
    </>
  );
}
