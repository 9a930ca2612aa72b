/** This installation: version, what it found, its loops, and whether log, sums and events agree. */
import { useState, type ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { useApi, wholeList } from "#console/api/queries.ts";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { PageHead } from "#console/components/page-head.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { useServerWords } from "#console/components/server-words.ts";
import { ShowAsCli } from "#console/components/show-as-cli.tsx";
import { durationText, When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Badge, Notice, Skeleton } from "#console/ui/feedback.tsx";
import { Card, Facts, Grid, Row, Stack } from "#console/ui/layout.tsx";
import { Heading, Muted, Text } from "#console/ui/text.tsx";

type System = AnswerOf<"getSystem">;
type Loop = System["loops"][number];

export function SystemPage(): ReactNode {
  const { t } = useText();
  const system = useApi("getSystem", {}, { everyMs: 15_000 });
  return (
    <>
      <PageHead title={t("infrastructure.system.title")} lead={t("infrastructure.system.lead")} />
      <Stack>
        {system.error === null ? null : (
          <ProblemBox error={system.error} onRetry={() => void system.refetch()} />
        )}
        <Grid columns={2}>
          {system.data === undefined ? (
            <Skeleton label={t("common.loading")} />
          ) : (
            <About system={system.data} />
          )}
          <CheckCard />
        </Grid>
        <Heading level={2}>{t("infrastructure.system.loops")}</Heading>
        <DataTable
          label={t("infrastructure.system.loops")}
          pages={wholeList(system, system.data?.loops)}
          columns={useLoopColumns()}
          keyOf={(loop) => loop.name}
          empty={<Muted>{t("common.none")}</Muted>}
        />
      </Stack>
    </>
  );
}

function About({ system }: { readonly system: System }): ReactNode {
  const { t } = useText();
  const told = useServerWords();
  return (
    <Card title={t("infrastructure.system.about")}>
      <Stack gap="sm">
        <Facts
          rows={[
            [t("infrastructure.system.version"), system.version],
            [
              t("infrastructure.system.started"),
              <When key="at" at={system.startedAt} how="both" />,
            ],
          ]}
        />
        {system.findings.length === 0 ? (
          <Notice tone="good" title={t("infrastructure.system.noFindings")} />
        ) : (
          system.findings.map((finding) => (
            <Notice
              key={`${finding.site ?? ""} ${finding.message}`}
              tone={finding.severity === "problem" ? "bad" : "attention"}
              title={finding.site ?? undefined}
            >
              {told(finding.message)}
              {finding.advice === null ? null : (
                <>
                  {" "}
                  <Muted>
                    {t("common.whoCan.customer")} {told(finding.advice)}
                  </Muted>
                </>
              )}
            </Notice>
          ))
        )}
      </Stack>
    </Card>
  );
}

function useLoopColumns(): readonly Column<Loop>[] {
  const { t, language } = useText();
  return [
    { key: "name", head: t("common.name"), cell: (loop) => loop.name },
    {
      key: "state",
      head: t("common.state"),
      cell: (loop) =>
        loop.failuresInRow === 0 ? (
          <Badge tone="good" icon="check">
            {t("infrastructure.system.works")}
          </Badge>
        ) : (
          <Stack gap={0}>
            <Badge tone="bad" icon="alert">
              {t("infrastructure.system.fails", { count: loop.failuresInRow })}
            </Badge>
            <Muted size="xs">{loop.lastError}</Muted>
          </Stack>
        ),
    },
    {
      key: "every",
      head: t("infrastructure.system.every"),
      align: "end",
      cell: (loop) => durationText(loop.periodMs / 1000, language),
    },
    {
      key: "last",
      head: t("infrastructure.system.last"),
      cell: (loop) => <When at={loop.lastEndedAt ?? loop.lastStartedAt} />,
    },
    { key: "runs", head: t("infrastructure.system.runs"), align: "end", cell: ({ runs }) => runs },
    {
      key: "failures",
      head: t("infrastructure.system.failures"),
      align: "end",
      cell: ({ failures }) => failures,
    },
  ];
}

/** It reads everything there is, so it runs when it is asked for. */
function CheckCard(): ReactNode {
  const { t } = useText();
  const [isAsked, setAsked] = useState(false);
  const check = useApi("checkUsage", {}, { enabled: isAsked });
  const { data } = check;
  return (
    <Card
      title={t("infrastructure.check.title")}
      action={<ShowAsCli operation="checkUsage" request={{}} command="millrace log check" />}
    >
      <Stack gap="sm">
        <Text isMuted>{t("infrastructure.check.text")}</Text>
        <Row>
          <Button
            icon="shield"
            isBusy={check.isFetching}
            onClick={() => {
              if (isAsked) void check.refetch();
              else setAsked(true);
            }}
          >
            {t("infrastructure.check.run")}
          </Button>
        </Row>
        {check.error === null ? null : <ProblemBox error={check.error} />}
        {data === undefined ? null : data.problems.length === 0 ? (
          <Notice tone="good" title={t("infrastructure.check.good", { count: data.leaves })} />
        ) : (
          <Notice tone="bad" title={t("infrastructure.check.bad", { count: data.problems.length })}>
            <ul>
              {data.problems.map((problem) => (
                <li key={problem}>{problem}</li>
              ))}
            </ul>
          </Notice>
        )}
      </Stack>
    </Card>
  );
}
