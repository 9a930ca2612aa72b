/** Ports that are open to others, besides SSH: those of this instance, and of all of its project. */
import { useState, type ReactNode } from "react";
import type { ItemOf } from "#client/types.ts";

import { useAction, usePages } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import { ConfirmDialog } from "#console/components/confirm-dialog.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { useText } from "#console/i18n/index.ts";
import { Button, IconButton } from "#console/ui/button.tsx";
import { Card, Row, Stack } from "#console/ui/layout.tsx";
import { Code, Muted } from "#console/ui/text.tsx";

import type { Lease } from "./actions.ts";
import { OpeningDialog } from "./opening-dialog.tsx";

type Opening = ItemOf<"listOpenings">;

export function OpeningsCard({ lease }: { readonly lease: Lease }): ReactNode {
  const { t } = useText();
  const mayUse = useMay()("compute.use");
  const params = { projectId: lease.projectId };
  const pages = usePages("listOpenings", { params, query: { limit: 100 } });
  const [isAdding, setAdding] = useState(false);
  const [going, setGoing] = useState<Opening>();
  const close = useAction("deleteOpening", { onDone: () => setGoing(undefined) });
  const why = mayUse ? undefined : t("instances.whyNot.permission");
  const shown = pages.items.filter(({ leaseId }) => leaseId === null || leaseId === lease.id);
  return (
    <Card
      title={t("lease.openings.title")}
      action={
        <Button size="xs" icon="plus" disabledReason={why} onClick={() => setAdding(true)}>
          {t("lease.openings.add")}
        </Button>
      }
    >
      <Stack gap="sm">
        {pages.error === null ? null : <ProblemBox error={pages.error} />}
        {shown.length === 0 ? <Muted>{t("lease.openings.none")}</Muted> : null}
        {shown.map((opening) => (
          <Row key={opening.id} justify="space-between">
            <span>
              <Code>{portText(opening)}</Code> {opening.sources.join(", ")}{" "}
              <Muted>
                {opening.leaseId === null ? t("lease.openings.ofProject") : ""} {opening.note}
              </Muted>
            </span>
            <IconButton
              icon="trash"
              label={t("lease.openings.closeOf", { port: portText(opening) })}
              disabledReason={why}
              onClick={() => {
                close.reset();
                setGoing(opening);
              }}
            />
          </Row>
        ))}
        <Muted>{t("lease.openings.text")}</Muted>
      </Stack>
      {isAdding ? <OpeningDialog lease={lease} onClose={() => setAdding(false)} /> : null}
      <ConfirmDialog
        call={going && { operation: "deleteOpening", request: { params: { openingId: going.id } } }}
        isOpen={going !== undefined}
        onClose={() => setGoing(undefined)}
        title={t("lease.openings.closeOf", { port: going === undefined ? "" : portText(going) })}
        confirmLabel={t("lease.openings.close")}
        isDangerous
        isBusy={close.isPending}
        error={close.error}
        onConfirm={() => {
          if (going !== undefined) close.mutate({ params: { openingId: going.id } });
        }}
      >
        {t(
          going?.leaseId === null ? "lease.openings.closeProjectText" : "lease.openings.closeText",
        )}
      </ConfirmDialog>
    </Card>
  );
}

function portText({ protocol, port }: Opening): string {
  return `${protocol}/${port}`;
}
