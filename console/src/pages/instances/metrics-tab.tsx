/**
 * What is known of its use: each signal that the platform watches with when it last moved, a chart of
 * what was seen since the tab was opened, and what it used of CPU and memory over its life.
 */
import { useEffect, useState, type ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { useApi } from "#console/api/queries.ts";
import { useTimeZone } from "#console/api/session.ts";
import { LineChart } from "#console/components/chart.tsx";
import { Gauge } from "#console/components/gauge.tsx";
import { memoryText } from "#console/components/flavor.ts";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { instantText, When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { Skeleton } from "#console/ui/feedback.tsx";
import { Card, Facts, Grid, Stack } from "#console/ui/layout.tsx";
import { Muted } from "#console/ui/text.tsx";

import type { Lease } from "./actions.ts";
import { withSeen, type Seen } from "./seen.ts";

type Idleness = AnswerOf<"getLeaseIdleness">;
const everyMs = 10_000;

export function MetricsTab({ lease }: { readonly lease: Lease }): ReactNode {
  const { t } = useText();
  const params = { leaseId: lease.id };
  const idleness = useApi("getLeaseIdleness", { params }, { everyMs });
  const { data, error } = idleness;
  return (
    <Stack>
      {data === undefined ? (
        error === null ? (
          <Skeleton label={t("common.loading")} />
        ) : (
          <ProblemBox error={error} onRetry={() => void idleness.refetch()} />
        )
      ) : (
        <>
          <Watched idleness={data} />
          <Since idleness={data} />
        </>
      )}
      <Used lease={lease} />
    </Stack>
  );
}

function Watched({ idleness }: { readonly idleness: Idleness }): ReactNode {
  const { t } = useText();
  return (
    <Card title={t("lease.activity")}>
      <Stack gap="sm">
        <Muted>
          {t(`lease.idleState.${idleness.state}`)}{" "}
          {idleness.warnAt === null || idleness.state !== "active" ? null : (
            <>
              {t("lease.warnAt")} <When at={idleness.warnAt} how="both" />
            </>
          )}
        </Muted>
        {idleness.signals.length === 0 ? null : (
          <div className="table-wrap">
            <table className="table" aria-label={t("lease.activity")}>
              <thead>
                <tr>
                  <th scope="col">{t("lease.signal")}</th>
                  <th scope="col" className="end">
                    {t("lease.value")}
                  </th>
                  <th scope="col">{t("lease.activeAt")}</th>
                  <th scope="col">{t("lease.seenAt")}</th>
                </tr>
              </thead>
              <tbody>
                {idleness.signals.map((each) => (
                  <tr key={each.signal}>
                    <th scope="row">{t(`lease.signals.${each.signal}`)}</th>
                    <td className="end tabular">
                      {each.value === null
                        ? "—"
                        : t(`lease.signalValue.${each.signal}`, { value: rounded(each.value) })}
                    </td>
                    <td>
                      <When at={each.activeAt} />
                    </td>
                    <td>
                      <When at={each.seenAt} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Stack>
    </Card>
  );
}

function Since({ idleness }: { readonly idleness: Idleness }): ReactNode {
  const { t, language } = useText();
  const timeZone = useTimeZone();
  const [seen, setSeen] = useState<Seen>({ at: [], cpu: [], gpu: [] });
  useEffect(() => setSeen((before) => withSeen(before, idleness.signals)), [idleness]);
  if (idleness.signals.length === 0) return null;
  const hasGpu = seen.gpu.some((value) => value !== null);
  return (
    <Card title={t("lease.sinceOpened")}>
      <LineChart
        label={t("lease.sinceOpened")}
        at={seen.at}
        series={[
          { label: t("lease.signals.cpu"), values: seen.cpu },
          ...(hasGpu ? [{ label: t("lease.signals.gpu"), values: seen.gpu }] : []),
        ]}
        text={(value) => `${rounded(value)} %`}
        timeText={(at) =>
          instantText(new Date(at).toISOString(), { language, timeZone, shows: "time" })
        }
      />
    </Card>
  );
}

function Used({ lease }: { readonly lease: Lease }): ReactNode {
  const { t } = useText();
  const advice = useApi("getLeaseRecommendation", { params: { leaseId: lease.id } });
  const { data, error } = advice;
  if (data === undefined) {
    return error === null ? (
      <Skeleton label={t("common.loading")} />
    ) : (
      <ProblemBox error={error} onRetry={() => void advice.refetch()} />
    );
  }
  const { cpus, memoryMiB, current } = data;
  return (
    <Grid columns={2}>
      <Card title={t("lease.usedCpu")}>
        <Bounds bounds={cpus} whole={current.vcpus} text={cpuText} />
      </Card>
      <Card title={t("lease.usedMemory")}>
        <Bounds bounds={memoryMiB} whole={current.memoryMiB} text={sizeText} />
      </Card>
    </Grid>
  );
}

function Bounds({
  bounds,
  whole,
  text,
}: {
  readonly bounds: AnswerOf<"getLeaseRecommendation">["cpus"];
  readonly whole: number;
  readonly text: (value: number) => string;
}): ReactNode {
  const { t } = useText();
  if (bounds === null) return <Muted>{t("lease.notSeen")}</Muted>;
  return (
    <Facts
      rows={(["lower", "target", "upper"] as const).map((key) => [
        t(`lease.bounds.${key}`),
        // The upper bound is as wide as the history is short; more than there is says nothing.
        bounds[key] > whole && key === "upper" ? (
          t("lease.boundUnknown")
        ) : (
          <Gauge
            key={key}
            share={bounds[key] / whole}
            label={t(`lease.bounds.${key}`)}
            text={text(bounds[key])}
          />
        ),
      ])}
    />
  );
}

function cpuText(value: number): string {
  return `${rounded(value)} vCPU`;
}

function sizeText(value: number): string {
  return memoryText(Math.round(value));
}

function rounded(value: number): string {
  return String(Math.round(value * 10) / 10);
}
