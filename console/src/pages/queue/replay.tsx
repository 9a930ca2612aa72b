/** Real history under other policies: a table and a chart of them beside each other. */
import { useState, type ReactNode } from "react";
import type { AnswerOf, RequestOf } from "#client/types.ts";

import { call } from "#console/api/client.ts";
import { useTimeZone } from "#console/api/session.ts";
import { DateRange, dayBefore, todayIn } from "#console/components/date-range.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { dayText, useSearchParams } from "#console/components/search-params.ts";
import { ShowAsCli } from "#console/components/show-as-cli.tsx";
import { useText } from "#console/i18n/index.ts";
import { instantIn } from "#console/pages/jobs/job-form.ts";
import { Button } from "#console/ui/button.tsx";
import { Progress } from "#console/ui/feedback.tsx";
import { MultiSelect, Select } from "#console/ui/fields.tsx";
import { Card, Grid, Row, Stack } from "#console/ui/layout.tsx";
import { Muted } from "#console/ui/text.tsx";

import { changeFlags, Changes, type FleetChange } from "./changes.tsx";
import { ReplayResult } from "./replay-result.tsx";

export type ReplayAnswer = AnswerOf<"replaySchedule">;
type Body = RequestOf<"replaySchedule">["body"];

const policies = ["due", "fifo", "skip", "easy", "shortest"] as const;
const placements = ["balance", "fgd", "bestfit", "dotprod", "gpupacking"] as const;
const usualDays = 6;
/** The server gives up after 20 s and answers. */
const timeoutMs = 60_000;

export function Replay(): ReactNode {
  const { t } = useText();
  const timeZone = useTimeZone();
  const today = todayIn(timeZone, Date.now());
  const [search, setSearch] = useSearchParams({ from: dayText, through: dayText });
  const range = {
    from: search.from ?? dayBefore(today, usualDays),
    through: search.through ?? today,
  };
  const [chosen, setChosen] = useState<readonly string[]>(["fifo", "easy"]);
  const [placement, setPlacement] = useState<(typeof placements)[number]>("balance");
  const [changes, setChanges] = useState<readonly FleetChange[]>([]);
  const [answers, setAnswers] = useState<readonly ReplayAnswer[]>([]);
  const [done, setDone] = useState<number>();
  const [error, setError] = useState<unknown>(null);
  const asked = policies.filter((policy) => chosen.includes(policy));
  const bodyFor = (policy: (typeof policies)[number]): Body => ({
    from: instantIn(timeZone, `${range.from}T00:00`),
    until: instantIn(timeZone, `${dayBefore(range.through, -1)}T00:00`),
    policy,
    placement,
    ...(changes.length === 0 ? {} : { changes: [...changes] }),
  });
  const run = async (): Promise<void> => {
    setError(null);
    setAnswers([]);
    try {
      for (const [at, policy] of asked.entries()) {
        setDone(at / asked.length);
        // oxlint-disable-next-line no-await-in-loop -- each takes the server's time; one after the other
        const answer = await call("replaySchedule", { body: bodyFor(policy) }, { timeoutMs });
        setAnswers((before) => [...before, answer]);
      }
    } catch (failure) {
      setError(failure);
    } finally {
      setDone(undefined);
    }
  };
  const first = asked[0] ?? "due";
  return (
    <Stack>
      <Card title={t("queue.replayTitle")}>
        <Stack>
          <Muted>{t("queue.replayHelp")}</Muted>
          <DateRange value={range} onChange={setSearch} today={today} />
          <Grid columns={2}>
            <MultiSelect
              label={t("queue.policies")}
              choices={policies.map((value) => ({ value, label: t(`queue.policyOf.${value}`) }))}
              value={chosen}
              onChange={setChosen}
            />
            <Select
              label={t("queue.placement")}
              choices={placements.map((value) => ({
                value,
                label: t(`queue.placementOf.${value}`),
              }))}
              value={placement}
              onChange={(next) => setPlacement(next ?? "balance")}
            />
          </Grid>
          <details>
            <summary>{t("queue.otherHosts")}</summary>
            <Changes changes={changes} onChange={setChanges} />
          </details>
          <Row>
            <Button
              kind="primary"
              isBusy={done !== undefined}
              disabledReason={asked.length === 0 ? t("queue.choosePolicy") : undefined}
              onClick={() => void run()}
            >
              {t("queue.replay")}
            </Button>
            <ShowAsCli
              operation="replaySchedule"
              request={{ body: bodyFor(first) }}
              command={`millrace schedule replay --policy ${first} --placement ${placement} --from ${bodyFor(first).from} --until ${bodyFor(first).until}${changeFlags(changes)}`}
            />
          </Row>
          {done === undefined ? null : <Progress share={done} label={t("queue.replaying")} />}
          {error === null ? null : <ProblemBox error={error} />}
        </Stack>
      </Card>
      {answers.length === 0 ? null : <ReplayResult answers={answers} />}
    </Stack>
  );
}
