/** Its disk: how large, what it costs, and what is left when the machine stops or goes. */
import { useState, type ReactNode } from "react";

import { useMay } from "#console/api/session.ts";
import { memoryText } from "#console/components/flavor.ts";
import { Money } from "#console/components/money.tsx";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Card, Facts, Stack } from "#console/ui/layout.tsx";
import { Muted } from "#console/ui/text.tsx";

import { resizeRefusal, type Lease } from "./actions.ts";
import { ResizeDialog } from "./resize-dialog.tsx";

export function StorageTab({ lease }: { readonly lease: Lease }): ReactNode {
  const { t } = useText();
  const mayUse = useMay()("compute.use");
  const [isResizing, setResizing] = useState(false);
  const lines = lease.price.lines.filter(({ sku }) => sku === "storage");
  return (
    <Card
      title={t("lease.mainDisk")}
      action={
        <Button
          size="xs"
          icon="disk"
          disabledReason={mayUse ? resizeRefusal(lease, t) : t("instances.whyNot.permission")}
          onClick={() => setResizing(true)}
        >
          {t("lease.growDisk")}
        </Button>
      }
    >
      <Stack gap="sm">
        <Facts
          rows={[
            [t("offers.disk"), memoryText(lease.flavor.diskGiB * 1024)],
            [t("rent.image"), lease.image],
            ...lines.map(
              (line) =>
                [
                  t("common.perHour"),
                  <span key={line.sku}>
                    <Money amount={line.hourly} />{" "}
                    <Muted>
                      {line.units} × {line.unitPrice ?? "—"} / {line.unit}
                    </Muted>
                  </span>,
                ] as const,
            ),
          ]}
        />
        <Muted>{t("lease.diskText")}</Muted>
      </Stack>
      {isResizing ? <ResizeDialog lease={lease} onClose={() => setResizing(false)} /> : null}
    </Card>
  );
}
