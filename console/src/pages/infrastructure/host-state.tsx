/** How a host stands: whether it answers, and whether it takes new work. */
import type { ReactNode } from "react";

import { StateBadge } from "#console/components/state-badge.tsx";
import { useText } from "#console/i18n/index.ts";
import { Badge } from "#console/ui/feedback.tsx";
import { Row } from "#console/ui/layout.tsx";

import type { Host } from "./fleet.ts";

export function HostState({
  host,
}: {
  readonly host: Pick<Host, "state" | "schedulable" | "maintenance">;
}): ReactNode {
  const { t } = useText();
  return (
    <Row gap="xs">
      <StateBadge of="host" state={host.state} />
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
