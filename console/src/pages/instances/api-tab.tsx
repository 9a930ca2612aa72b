/** The record as the API gives it, and the calls that everything here is made of. */
import type { ReactNode } from "react";

import { CodeBlock } from "#console/components/copy.tsx";
import { CliText } from "#console/components/show-as-cli.tsx";
import { useText } from "#console/i18n/index.ts";
import { Card, Stack } from "#console/ui/layout.tsx";

import type { Lease } from "./actions.ts";

export function ApiTab({ lease }: { readonly lease: Lease }): ReactNode {
  const { t } = useText();
  const params = { leaseId: lease.id };
  const commands = [
    `millrace lease show ${lease.name}`,
    `millrace lease events ${lease.name}`,
    `millrace lease stop ${lease.name}`,
    `millrace lease start ${lease.name}`,
    `millrace lease resize ${lease.name} --flavor NAME`,
    `millrace snapshot create ${lease.name} NAME`,
    `millrace lease delete ${lease.name}`,
  ];
  return (
    <Stack>
      <Card title={t("lease.calls")}>
        <CliText operation="getLease" request={{ params }} command={commands.join("\n")} />
      </Card>
      <Card title={t("lease.record")}>
        <CodeBlock text={JSON.stringify(lease, null, 2)} label={t("lease.record")} />
      </Card>
    </Stack>
  );
}
