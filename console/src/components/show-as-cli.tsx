/** The same call from a shell: the console does nothing that the API and the CLI do not. */
import { useState, type ReactNode } from "react";
import type { LooseRequest } from "#client/types.ts";
import type { OperationId } from "#contract/operations.ts";

import { tenantHeader } from "#client/request.ts";

import { addressOf, methodOf } from "#console/api/client.ts";
import { useNamedTenant } from "#console/api/tenant.ts";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Stack } from "#console/ui/layout.tsx";
import { Dialog } from "#console/ui/dialog.tsx";
import { Heading, Muted } from "#console/ui/text.tsx";

import { CodeBlock } from "./copy.tsx";
import { quoted } from "./quoted.ts";

export interface ShownCall {
  readonly operation: OperationId;
  readonly request: LooseRequest;
  /** Of another customer than the part of the page that it stands in. */
  readonly tenantId?: string | undefined;
  /** The command made for it, e.g. `millrace lease create …`; the generic one if left out. */
  readonly command?: string | undefined;
}

export function ShowAsCli({ operation, request, command, tenantId }: ShownCall): ReactNode {
  const { t } = useText();
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button kind="quiet" icon="code" onClick={() => setOpen(true)}>
        {t("common.cli.show")}
      </Button>
      <Dialog
        isOpen={isOpen}
        onClose={() => setOpen(false)}
        title={t("common.cli.title")}
        closeLabel={t("common.close")}
        size="lg"
      >
        <CliText operation={operation} request={request} command={command} tenantId={tenantId} />
      </Dialog>
    </>
  );
}

/** Without a button: for an API tab. */
export function CliText({
  operation,
  request,
  command,
  tenantId: given,
}: {
  readonly operation: OperationId;
  readonly request: LooseRequest;
  readonly tenantId?: string | undefined;
  readonly command?: string | undefined;
}): ReactNode {
  const { t } = useText();
  const named = useNamedTenant();
  const tenantId = given ?? named?.id;
  return (
    <Stack gap="sm">
      <Heading level={3}>{t("common.cli.commandLine")}</Heading>
      <CodeBlock wraps text={forTenant(command ?? apiCommand(operation, request), tenantId)} />
      <Heading level={3}>{t("common.cli.api")}</Heading>
      <CodeBlock wraps text={curlOf(operation, request, tenantId)} />
      <Muted>{t("common.cli.hint")}</Muted>
    </Stack>
  );
}

/** `millrace api`, which knows every operation. */
export function apiCommand(operation: OperationId, request: LooseRequest): string {
  return [
    `millrace api ${operation}`,
    ...flagged("--param", request.params),
    ...flagged("--query", request.query),
    ...(request.body === undefined ? [] : [`--body ${quoted(JSON.stringify(request.body))}`]),
  ].join(" ");
}

/** The operator's own command, for the customer for whom he acts. */
function forTenant(command: string, tenantId: string | undefined): string {
  return tenantId === undefined
    ? command
    : command.replaceAll(/^millrace /gm, `millrace --tenant ${tenantId} `);
}

function flagged(flag: string, values: LooseRequest["params"] = {}): string[] {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${flag} ${quoted(`${name}=${plain(value)}`)}`);
}

export function curlOf(operation: OperationId, request: LooseRequest, tenantId?: string): string {
  const method = methodOf(operation);
  const lines = [
    `curl -X ${method} "$MILLRACE_URL"${quoted(addressOf(operation, request))}`,
    `-H "Authorization: Bearer $MILLRACE_KEY"`,
    ...(tenantId === undefined ? [] : [`-H "${tenantHeader}: ${tenantId}"`]),
    ...(method === "POST" ? [`-H "Idempotency-Key: $(uuidgen)"`] : []),
    ...(request.body === undefined
      ? []
      : [`-H 'Content-Type: application/json'`, `-d ${quoted(JSON.stringify(request.body))}`]),
  ];
  return lines.join(" \\\n  ");
}

function plain(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
