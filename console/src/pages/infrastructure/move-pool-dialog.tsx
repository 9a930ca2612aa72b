/** Puts a host into a pool, or takes it out of any. */
import { useState, type ReactNode } from "react";

import { useAction, useApi } from "#console/api/queries.ts";
import { FormDialog } from "#console/components/form-dialog.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { useText } from "#console/i18n/index.ts";
import { Select } from "#console/ui/fields.tsx";
import { Text } from "#console/ui/text.tsx";

import type { Host } from "./fleet.ts";

/** No pool has such a name. */
const none = "-";

export function MovePoolDialog({
  host,
  onClose,
}: {
  readonly host: Host;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useText();
  const pools = useApi("listPools", { query: { limit: 200 } });
  const [pool, setPool] = useState(host.pool ?? none);
  const update = useAction("updateHost", { onDone: onClose });
  const request = { params: { hostId: host.id }, body: { pool: pool === none ? null : pool } };
  return (
    <FormDialog
      title={t("infrastructure.hosts.changePoolOf", { name: host.name })}
      onClose={onClose}
      submitLabel={t("common.save")}
      isBusy={update.isPending}
      error={update.error}
      disabledReason={pool === (host.pool ?? none) ? t("infrastructure.nothingChanged") : undefined}
      call={{ operation: "updateHost", request }}
      onSubmit={() => update.mutate(request)}
    >
      <Text>{t("infrastructure.hosts.poolText")}</Text>
      {pools.error === null ? null : <ProblemBox error={pools.error} />}
      <Select
        label={t("infrastructure.pool")}
        value={pool}
        onChange={(next) => setPool(next ?? none)}
        choices={[
          { value: none, label: t("infrastructure.noPool") },
          ...(pools.data?.items ?? []).map(({ name }) => ({ value: name, label: name })),
        ]}
      />
    </FormDialog>
  );
}
