/** How a host stands: whether it answers, and whether it takes new work. */
import type { ReactNode } from "react";

import { StateBadge } from "#console/components/state-badge.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { Badge } from "#console/ui/feedback.tsx";
import { Row } from "#console/ui/layout.tsx";

import type { Host } from "./fleet.ts";

export function HostState({
  host,
}: {
  readonly host: Pick<Host, "state" | "siteAwaySince" | "schedulable" | "maintenance">;
}): ReactNode {
  const { t } = useText();
  return (
    <Row gap="xs">
      {host.siteAwaySince === null ? (
        <StateBadge of="host" state={host.state} />
      ) : (
        <Badge tone="bad" icon="alert">
          {t("infrastructure.hosts.siteAway")} <When at={host.siteAwaySince} />
        </Badge>
      )}
      {host.schedulable ? null : (
        <Badge tone="attention" icon="tool">
          {t(
            host.maintenance ? "infrastructure.maintenance.under" : "infrastructure.hosts.cordoned",
          )}
        </Badge>
      )}
    </Row>
  );
}
