/** A warning that nobody seems to use the instance, and the button that keeps it. */
import type { ReactNode } from "react";

import { useAction, useApi } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Notice } from "#console/ui/feedback.tsx";
import { Row } from "#console/ui/layout.tsx";

import type { Lease } from "./actions.ts";

const everyMs = 60_000;

export function IdleNotice({ lease }: { readonly lease: Lease }): ReactNode {
  const { t } = useText();
  const mayUse = useMay()("compute.use");
  const params = { leaseId: lease.id };
  const idleness = useApi("getLeaseIdleness", { params }, { everyMs });
  const keep = useAction("keepLease");
  if (idleness.data?.state !== "warned") return null;
  const refusal = mayUse ? undefined : t("instances.whyNot.permission");
  return (
    <Notice
      tone="attention"
      title={t("lease.idleTitle")}
      action={
        <Row>
          <Button
            kind="primary"
            size="xs"
            isBusy={keep.isPending}
            disabledReason={refusal}
            onClick={() => keep.mutate({ params, body: { keep: "once" } })}
          >
            {t("lease.keep")}
          </Button>
        </Row>
      }
    >
      {t("lease.idleSince")} <When at={idleness.data.idleSince} how="both" />.{" "}
      {t("lease.idleRelease")} <When at={idleness.data.releaseAt} how="both" />.
      {keep.error === null ? null : <ProblemBox error={keep.error} />}
    </Notice>
  );
}
