/** What can be done to one job, in its row. */
import { useState, type ReactNode } from "react";

import { BulkDialog } from "#console/components/bulk.tsx";
import { useMay } from "#console/api/session.ts";
import { useText } from "#console/i18n/index.ts";
import { IconButton } from "#console/ui/button.tsx";
import { Menu, type MenuEntry } from "#console/ui/overlay.tsx";

import { useCancel, type Job } from "./actions.ts";

export function JobMenu({ job }: { readonly job: Job }): ReactNode {
  const { t } = useText();
  const mayUse = useMay()("compute.use");
  const cancel = useCancel();
  const [isAsked, setAsked] = useState(false);
  const entries: readonly MenuEntry[] = [
    {
      kind: "link",
      icon: "list",
      label: t("jobs.log"),
      to: "/jobs/$jobId",
      params: { jobId: job.id },
      search: { tab: "log" },
    },
    ...(mayUse
      ? ([
          {
            kind: "link",
            icon: "copy",
            label: t("jobs.again"),
            to: "/jobs/new",
            search: { from: job.id },
          },
        ] as const)
      : []),
    {
      kind: "action",
      icon: cancel.icon,
      label: cancel.label,
      isDangerous: true,
      disabledReason: cancel.refuse(job),
      run: () => setAsked(true),
    },
  ];
  return (
    <>
      <Menu
        trigger={<IconButton icon="more" label={t("jobs.actionsOf", { name: job.name })} />}
        entries={entries}
      />
      {isAsked ? (
        <BulkDialog
          action={cancel}
          items={[job]}
          nameOf={({ name }) => name}
          onClose={() => setAsked(false)}
        />
      ) : null}
    </>
  );
}
