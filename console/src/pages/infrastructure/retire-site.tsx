/** The operator's word that a site is gone for good, where nobody has seen it for a while. */
import { useState, type ReactNode } from "react";

import { useAction } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import { ConfirmDialog } from "#console/components/confirm-dialog.tsx";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Row } from "#console/ui/layout.tsx";

export function RetireSite({ site }: { readonly site: string }): ReactNode {
  const { t } = useText();
  const may = useMay();
  const [isAsked, setAsked] = useState(false);
  const close = (): void => setAsked(false);
  const retire = useAction("retireSite", { onDone: close });
  if (!may("platform.manage")) return null;
  const request = { params: { name: site } };
  return (
    <Row>
      <Button onClick={() => setAsked(true)}>{t("infrastructure.platforms.retire")}</Button>
      <ConfirmDialog
        call={{ operation: "retireSite", request }}
        isOpen={isAsked}
        onClose={close}
        title={t("infrastructure.platforms.retireTitle", { name: site })}
        confirmLabel={t("infrastructure.platforms.retire")}
        isDangerous
        isBusy={retire.isPending}
        error={retire.error}
        typed={site}
        onConfirm={() => retire.mutate(request)}
      >
        {t("infrastructure.platforms.retireText")}
      </ConfirmDialog>
    </Row>
  );
}
