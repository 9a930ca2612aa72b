/** Work that does not go on by itself: what it waits for, how much of it, and where to look. */
import type { ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { useApi } from "#console/api/queries.ts";
import { useText } from "#console/i18n/index.ts";
import { Notice } from "#console/ui/feedback.tsx";
import { TextLink } from "#console/ui/link.tsx";

type Waits = AnswerOf<"getSystem">["waits"][number];

/** Where the operator sees what to do about it. */
const pages = {
  site: "/operate/platforms",
  operator: "/operate/alerts",
  drain: "/operate/hosts",
} as const;

export function WaitsNotice(): ReactNode {
  const { t } = useText();
  const system = useApi("getSystem", {}, { everyMs: 30_000 });
  const waits = system.data?.waits ?? [];
  if (waits.length === 0) return null;
  return (
    <Notice tone="attention" title={t("infrastructure.waits.title")}>
      <ul className="plain-list">
        {waits.map((each) => (
          <li key={`${each.on} ${each.site} ${each.code}`} className="line">
            <WaitsLine waits={each} />
          </li>
        ))}
      </ul>
    </Notice>
  );
}

function WaitsLine({
  waits: { on, site, code, leases, jobs },
}: {
  readonly waits: Waits;
}): ReactNode {
  const { t } = useText();
  const counts = [
    ...(leases === 0 ? [] : [t("infrastructure.waits.leases", { count: leases })]),
    ...(jobs === 0 ? [] : [t("infrastructure.waits.jobs", { count: jobs })]),
  ].join(t("infrastructure.waits.and"));
  return (
    <>
      <span>{t(`infrastructure.waits.on.${on}`, { counts, site, code })}</span>
      <TextLink to={pages[on]}>{t("common.details")}</TextLink>
    </>
  );
}
