/** The platforms that this cloud runs on, and what each of them can do: yes, or no and why. */
import { Fragment, type ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { useApi } from "#console/api/queries.ts";
import { EmptyState } from "#console/components/empty-state.tsx";
import { PageHead } from "#console/components/page-head.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { StateBadge } from "#console/components/state-badge.tsx";
import { When } from "#console/components/when.tsx";
import { useServerWords } from "#console/components/server-words.ts";
import { textIfThere, useText } from "#console/i18n/index.ts";
import { Badge, Skeleton } from "#console/ui/feedback.tsx";
import { Card, Facts, Grid, Stack } from "#console/ui/layout.tsx";
import { Code, Muted } from "#console/ui/text.tsx";

import { RetireSite } from "./retire-site.tsx";

type Site = AnswerOf<"getSystem">["sites"][number];
type Capability = Site["capabilities"][string];

export function PlatformsPage(): ReactNode {
  const { t } = useText();
  const system = useApi("getSystem", {}, { everyMs: 60_000 });
  const sites = system.data?.sites ?? [];
  return (
    <>
      <PageHead
        title={t("infrastructure.platforms.title")}
        lead={t("infrastructure.platforms.lead")}
      />
      <Stack>
        {system.error === null ? null : (
          <ProblemBox error={system.error} onRetry={() => void system.refetch()} />
        )}
        {system.isPending ? <Skeleton lines={8} label={t("common.loading")} /> : null}
        {system.data !== undefined && sites.length === 0 ? (
          <EmptyState icon="plug" title={t("infrastructure.platforms.empty")} />
        ) : null}
        <Grid columns={2}>
          {sites.map((site) => (
            <SiteCard key={site.site} site={site} />
          ))}
        </Grid>
        {sites.length === 0 ? null : <Matrix sites={sites} />}
      </Stack>
    </>
  );
}

function SiteCard({ site }: { readonly site: Site }): ReactNode {
  const { t } = useText();
  const told = useServerWords();
  return (
    <Card
      title={site.site}
      action={
        site.reachable ? (
          <Badge tone="good" icon="check">
            {t("infrastructure.platforms.reachable")}
          </Badge>
        ) : (
          <Badge tone="bad" icon="alert">
            {site.awaySince === null ? (
              t("infrastructure.platforms.unreachable")
            ) : (
              <>
                {t("infrastructure.platforms.away")} <When at={site.awaySince} />
              </>
            )}
          </Badge>
        )
      }
    >
      <Stack gap="sm">
        <Facts
          rows={[
            [t("infrastructure.platforms.kind"), `${site.kind} ${site.version}`],
            [
              t("infrastructure.execution"),
              <StateBadge key="execution" of="execution" state={site.execution} />,
            ],
            [
              t("infrastructure.platforms.inventory"),
              <When key="inventory" at={site.inventoryAt} />,
            ],
          ]}
        />
        {site.executionReason === "" ? null : <Muted>{told(site.executionReason)}</Muted>}
        {site.awaySince === null ? null : <RetireSite site={site.site} />}
      </Stack>
    </Card>
  );
}

function Matrix({ sites }: { readonly sites: readonly Site[] }): ReactNode {
  const { t } = useText();
  const names = [...new Set(sites.flatMap((site) => Object.keys(site.capabilities)))];
  return (
    <Card title={t("infrastructure.platforms.can")}>
      <div className="table-wrap">
        {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, also by keyboard */}
        <div
          style={{ overflowX: "auto" }}
          tabIndex={0}
          role="region"
          aria-label={t("infrastructure.platforms.can")}
        >
          <table className="table">
            <thead>
              <tr>
                <th scope="col">{t("infrastructure.platforms.capability")}</th>
                {sites.map((site) => (
                  <th key={site.site} scope="col">
                    {site.site}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {names.map((name) => (
                <tr key={name}>
                  <th scope="row" style={{ fontWeight: 500, textAlign: "start" }}>
                    {textIfThere(`infrastructure.capability.${name}`) ?? <Code>{name}</Code>}
                  </th>
                  {sites.map((site) => (
                    <td key={site.site} style={{ whiteSpace: "normal", minWidth: "10rem" }}>
                      <Answer capability={site.capabilities[name]} />
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </div>
    </Card>
  );
}

function Answer({ capability }: { readonly capability: Capability | undefined }): ReactNode {
  const { t } = useText();
  const told = useServerWords();
  if (capability === undefined) return "—";
  if (typeof capability === "string") {
    return textIfThere(`infrastructure.idempotency.${capability}`) ?? <Code>{capability}</Code>;
  }
  return capability.can ? (
    <Badge tone="good" icon="check">
      {t("common.yes")}
    </Badge>
  ) : (
    <Fragment>
      <Badge icon="close">{t("common.no")}</Badge>{" "}
      <Muted size="xs">{told(capability.because)}</Muted>
    </Fragment>
  );
}
