/** What may be done to the instance; each asks first, and one that cannot be pressed says why. */
import { lazy, Suspense, useState, type ReactNode } from "react";

import { useMay } from "#console/api/session.ts";
import { BulkDialog, type BulkAction } from "#console/components/bulk.tsx";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";

import {
  cloneRefusal,
  moveRefusal,
  resizeRefusal,
  useLeaseActions,
  type Lease,
} from "./actions.ts";
import { CloneDialog } from "./clone-dialog.tsx";
import { ResizeDialog } from "./resize-dialog.tsx";

/** The operator's alone: customers do not load it. */
const MoveDialog = lazy(async () => ({ default: (await import("./move-dialog.tsx")).MoveDialog }));

export function LeaseButtons({ lease }: { readonly lease: Lease }): ReactNode {
  const { t } = useText();
  const may = useMay();
  const mayUse = may("compute.use");
  const actions = useLeaseActions();
  const [asked, setAsked] = useState<BulkAction<Lease>>();
  const [isResizing, setResizing] = useState(false);
  const [isCloning, setCloning] = useState(false);
  const [isMoving, setMoving] = useState(false);
  const button = (action: BulkAction<Lease>): ReactNode => (
    <Button
      key={action.key}
      icon={action.icon}
      disabledReason={action.refuse(lease)}
      onClick={() => setAsked(action)}
    >
      {action.label}
    </Button>
  );
  // One of start and stop is enough.
  const shown = actions.filter(({ key }) => key !== (lease.state === "running" ? "start" : "stop"));
  return (
    <>
      {shown.filter(({ key }) => key !== "release").map(button)}
      <Button
        icon="gauge"
        disabledReason={mayUse ? resizeRefusal(lease, t) : t("instances.whyNot.permission")}
        onClick={() => setResizing(true)}
      >
        {t("lease.resize")}
      </Button>
      <Button
        icon="copy"
        disabledReason={mayUse ? cloneRefusal(lease, t) : t("instances.whyNot.permission")}
        onClick={() => setCloning(true)}
      >
        {t("lease.clone")}
      </Button>
      {may("platform.manage") ? (
        <Button icon="host" disabledReason={moveRefusal(lease, t)} onClick={() => setMoving(true)}>
          {t("lease.move.ask")}
        </Button>
      ) : null}
      {shown.filter(({ key }) => key === "release").map(button)}
      {asked === undefined ? null : (
        <BulkDialog
          action={asked}
          items={[lease]}
          nameOf={({ name }) => name}
          onClose={() => setAsked(undefined)}
        />
      )}
      {isCloning ? <CloneDialog lease={lease} onClose={() => setCloning(false)} /> : null}
      {isMoving ? (
        <Suspense>
          <MoveDialog leaseId={lease.id} name={lease.name} onClose={() => setMoving(false)} />
        </Suspense>
      ) : null}
      {isResizing ? <ResizeDialog lease={lease} onClose={() => setResizing(false)} /> : null}
    </>
  );
}
