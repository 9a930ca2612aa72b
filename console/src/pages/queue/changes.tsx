/** What would be other about the fleet: hosts more, a host less, another way to cut a pool. */
import { useState, type ReactNode } from "react";
import type { RequestOf } from "#client/types.ts";

import { useApi } from "#console/api/queries.ts";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { useText, type Translate } from "#console/i18n/index.ts";
import { Button, IconButton } from "#console/ui/button.tsx";
import { NumberField, Segments, Select } from "#console/ui/fields.tsx";
import { Grid, Stack } from "#console/ui/layout.tsx";
import { Muted } from "#console/ui/text.tsx";

export type FleetChange = RequestOf<"planFleet">["body"]["changes"][number];

const kinds = ["add", "remove", "pool"] as const;
const changesMax = 100;

export function Changes({
  changes,
  onChange,
}: {
  readonly changes: readonly FleetChange[];
  readonly onChange: (changes: readonly FleetChange[]) => void;
}): ReactNode {
  const { t } = useText();
  const hosts = useApi("listHosts", { query: { limit: 200 } });
  const pools = useApi("listPools", { query: { limit: 200 } });
  const [kind, setKind] = useState<(typeof kinds)[number]>("add");
  const [host, setHost] = useState<string>();
  const [pool, setPool] = useState<string>();
  const [number, setNumber] = useState<number | undefined>(1);
  const made = changeOf({ kind, host, pool, number });
  const reason =
    changes.length >= changesMax
      ? t("queue.changesMax", { count: changesMax })
      : made === undefined
        ? t("queue.changeUnfinished")
        : undefined;
  const error = hosts.error ?? pools.error;
  return (
    <Stack gap="sm">
      {error === null ? null : <ProblemBox error={error} />}
      <div>
        <Segments
          label={t("queue.change")}
          choices={kinds.map((value) => ({ value, label: t(`queue.changeKind.${value}`) }))}
          value={kind}
          onChange={setKind}
        />
      </div>
      <Grid columns={3}>
        {kind === "pool" ? (
          <Select
            label={t("queue.poolName")}
            placeholder={
              pools.data?.items.length === 0 ? t("queue.noPools") : t("queue.choosePool")
            }
            choices={(pools.data?.items ?? []).map(({ name }) => ({ value: name, label: name }))}
            value={pool}
            onChange={setPool}
          />
        ) : (
          <Select
            label={kind === "add" ? t("queue.like") : t("queue.host")}
            placeholder={t("queue.chooseHost")}
            isSearchable
            choices={(hosts.data?.items ?? []).map(({ name }) => ({ value: name, label: name }))}
            value={host}
            onChange={setHost}
          />
        )}
        {kind === "remove" ? null : (
          <NumberField
            label={kind === "add" ? t("queue.count") : t("queue.slices")}
            min={1}
            max={kind === "add" ? 10_000 : 16}
            value={number}
            onChange={setNumber}
          />
        )}
        <div style={{ alignSelf: "end" }}>
          <Button
            icon="plus"
            disabledReason={reason}
            onClick={() => made !== undefined && onChange([...changes, made])}
          >
            {t("queue.addChange")}
          </Button>
        </div>
      </Grid>
      {changes.length === 0 ? <Muted>{t("queue.noChanges")}</Muted> : null}
      <ul className="plain-list">
        {changes.map((each, at) => (
          // oxlint-disable-next-line react/no-array-index-key -- the same change may stand twice
          <li key={at} className="line">
            {changeText(each, t)}
            <IconButton
              icon="trash"
              label={t("queue.dropChange")}
              onClick={() => onChange(changes.filter((_unused, index) => index !== at))}
            />
          </li>
        ))}
      </ul>
    </Stack>
  );
}

function changeOf({
  kind,
  host,
  pool,
  number,
}: {
  readonly kind: (typeof kinds)[number];
  readonly host: string | undefined;
  readonly pool: string | undefined;
  readonly number: number | undefined;
}): FleetChange | undefined {
  if (kind === "remove") return host === undefined ? undefined : { do: "remove", host };
  if (number === undefined || number < 1) return undefined;
  if (kind === "add") {
    return host === undefined ? undefined : { do: "add", like: host, count: number };
  }
  return pool === undefined || number > 16 ? undefined : { do: "pool", pool, slicesMax: number };
}

function changeText(change: FleetChange, t: Translate): string {
  switch (change.do) {
    case "add":
      return t("queue.changeText.add", { count: change.count, host: change.like });
    case "remove":
      return t("queue.changeText.remove", { host: change.host });
    case "pool":
      return t("queue.changeText.pool", { pool: change.pool, slices: change.slicesMax ?? 1 });
  }
}

/** As the flags of `plan fleet` and `schedule replay`. */
export function changeFlags(changes: readonly FleetChange[]): string {
  return changes
    .map((each) => {
      if (each.do === "add") return ` --add ${each.like}:${each.count}`;
      if (each.do === "remove") return ` --remove ${each.host}`;
      return ` --slices ${each.pool}=${each.slicesMax ?? 1}`;
    })
    .join("");
}
