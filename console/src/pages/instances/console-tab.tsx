/** The ways to its screen: the serial line, the graphical screen, SSH. What is typed goes to the machine. */
import { useState, type ReactNode } from "react";

import { CopyLine } from "#console/components/copy.tsx";
import { oneOf, useSearchParams } from "#console/components/search-params.ts";
import { Terminal } from "#console/components/terminal.tsx";
import { Vnc } from "#console/components/vnc.tsx";
import { actingTenant } from "#console/api/acting.ts";
import { useMay } from "#console/api/session.ts";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Segments } from "#console/ui/fields.tsx";
import { Notice } from "#console/ui/feedback.tsx";
import { Card, Row, Stack } from "#console/ui/layout.tsx";
import { ExternalLink } from "#console/ui/link.tsx";
import { Muted } from "#console/ui/text.tsx";

import type { Lease } from "./actions.ts";

const kinds = ["serial", "vnc"] as const;

/** Where Jupyter listens if nobody says otherwise. No image brings it, so none is linked to directly. */
const forwarded = { ports: "8888:127.0.0.1:8888", link: "http://127.0.0.1:8888" } as const;

export function ConsoleTab({ lease }: { readonly lease: Lease }): ReactNode {
  const { t } = useText();
  const mayUse = useMay()("compute.use");
  const [{ kind = "serial" }, setSearch] = useSearchParams({ kind: oneOf(kinds) });
  const [isOpen, setOpen] = useState(false);
  const ssh = lease.endpoints.find(({ service }) => service === "ssh");
  const refusal = !mayUse
    ? t("instances.whyNot.permission")
    : lease.state === "running"
      ? undefined
      : t("lease.consoleNeedsRunning", { state: t(`states.lease.${lease.state}`) });
  const tenant = actingTenant();
  const acting = tenant === undefined ? "" : `&tenant=${encodeURIComponent(tenant.id)}`;
  const path = `/v1/leases/${lease.id}/console?kind=${kind}${acting}`;
  return (
    <Stack>
      <Card
        title={t("lease.tab.console")}
        action={
          <Segments
            label={t("lease.consoleKind")}
            choices={kinds.map((value) => ({ value, label: t(`lease.consoleKinds.${value}`) }))}
            value={kind}
            onChange={(next) => setSearch({ kind: next === "serial" ? undefined : next })}
          />
        }
      >
        {isOpen && refusal === undefined ? (
          <Stack gap="xs">
            {kind === "serial" ? <Terminal path={path} /> : <Vnc path={path} />}
            <Row justify="space-between">
              <Muted size="xs">{t(`lease.consoleHelp.${kind}`)}</Muted>
              <Button size="xs" onClick={() => setOpen(false)}>
                {t("lease.consoleClose")}
              </Button>
            </Row>
          </Stack>
        ) : (
          <Stack gap="sm">
            <Muted>{t(`lease.consoleText.${kind}`)}</Muted>
            <div>
              <Button
                kind="primary"
                icon="terminal"
                disabledReason={refusal}
                onClick={() => setOpen(true)}
              >
                {t("lease.consoleOpen")}
              </Button>
            </div>
            {lease.execution === "simulated" ? (
              <Notice tone="info">{t("lease.consoleSimulated")}</Notice>
            ) : null}
          </Stack>
        )}
      </Card>
      <Card title={t("lease.elsewhere")}>
        <Stack gap="xs">
          {ssh === undefined ? null : <CopyLine text={ssh.command} />}
          <CopyLine text={`millrace console ${lease.name}`} />
        </Stack>
      </Card>
      {ssh === undefined ? null : (
        <Card title={t("lease.forward")}>
          <Stack gap="xs">
            <Muted>
              {t("lease.forwardText")}{" "}
              <ExternalLink href={forwarded.link}>{forwarded.link}</ExternalLink>
            </Muted>
            <CopyLine text={ssh.command.replace(/^ssh /, `ssh -L ${forwarded.ports} `)} />
          </Stack>
        </Card>
      )}
    </Stack>
  );
}
