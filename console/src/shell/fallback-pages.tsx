/** Pages shown instead of what was asked for. */
import { useRouter } from "@tanstack/react-router";
import { useEffect, useRef, type ReactNode } from "react";
import type { Permission } from "#contract/operation.ts";

import { reach } from "#console/api/reach.ts";
import { useStore } from "#console/api/store.ts";
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

/** A fault of ours, or a part of the console that could not be loaded. */
export function FailedPage({ error }: { readonly error: unknown }): ReactNode {
  const { t } = useText();
  const router = useRouter();
  const state = useStore(reach);
  const wasGone = useRef(false);
  useEffect(() => {
    if (state === "gone") wasGone.current = true;
    else if (wasGone.current) void router.invalidate();
  }, [state, router]);
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
