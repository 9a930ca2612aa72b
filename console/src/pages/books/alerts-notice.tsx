/** Alerts that are open about money, usage or the log: what the server's own checks found by themselves. */
import type { ReactNode } from "react";

import { useApi } from "#console/api/queries.ts";
import { useText } from "#console/i18n/index.ts";
import { LinkButton } from "#console/ui/button.tsx";
import { Notice } from "#console/ui/feedback.tsx";

const kinds: readonly string[] = [
  "ledger_unbalanced",
  "held_for_nothing",
  "unpriced_usage",
  "unknown_unit",
  "event_conflict",
  "log_unsigned",
  "invoices_unsigned",
  "clock_behind",
  "subscription_lost",
];
const readMax = 200;
const shownMax = 5;

export function AlertsNotice(): ReactNode {
  const { t, language } = useText();
  const alerts = useApi(
    "listAlerts",
    { query: { limit: readMax, language } },
    { everyMs: 60_000, keepsLast: true },
  );
  const found = (alerts.data?.items ?? []).filter(({ kind }) => kinds.includes(kind));
  if (found.length === 0) return null;
  return (
    <Notice
      tone="bad"
      title={t("books.check.alerts", { count: found.length })}
      action={
        <LinkButton to="/operate/alerts" size="xs">
          {t("infrastructure.alerts.title")}
        </LinkButton>
      }
    >
      <ul>
        {found.slice(0, shownMax).map(({ id, text }) => (
          <li key={id} dir="auto" style={{ overflowWrap: "anywhere" }}>
            {text}
          </li>
        ))}
      </ul>
    </Notice>
  );
}
