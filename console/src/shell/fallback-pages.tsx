/** Pages shown instead of what was asked for. */
import type { ReactNode } from "react";
import type { Permission } from "#contract/operation.ts";

import { PageHead } from "#console/components/page-head.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { useText } from "#console/i18n/index.ts";
import { Button, LinkButton } from "#console/ui/button.tsx";
import { Row, Stack } from "#console/ui/layout.tsx";

export function NotFoundPage(): ReactNode {
  const { t } = useText();
  return (
    <Stack>
      <PageHead title={t("shell.notFound.title")} lead={t("shell.notFound.lead")} />
      <Row>
        <LinkButton to="/" kind="primary">
          {t("shell.notFound.home")}
        </LinkButton>
      </Row>
    </Stack>
  );
}

export function ForbiddenPage({ permission }: { readonly permission: Permission }): ReactNode {
  const { t } = useText();
  return (
    <PageHead title={t("shell.forbidden.title")} lead={t("shell.forbidden.lead", { permission })} />
  );
}

/** A fault of ours, or a part of the page that could not be loaded, e.g. after an upgrade. */
export function FailedPage({ error }: { readonly error: unknown }): ReactNode {
  const { t } = useText();
  return (
    <Stack>
      <ProblemBox error={error} />
      <Row>
        <Button icon="refresh" onClick={() => location.reload()}>
          {t("common.retry")}
        </Button>
      </Row>
    </Stack>
  );
}
