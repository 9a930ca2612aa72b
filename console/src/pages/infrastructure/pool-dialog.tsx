/** A new pool, from a preset; or how a pool is sold from now on. The server checks the rules. */
import { useState, type ReactNode } from "react";
import type { RequestOf } from "#client/types.ts";

import { useAction, useApi } from "#console/api/queries.ts";
import { FormDialog } from "#console/components/form-dialog.tsx";
import { fieldError } from "#console/components/problem-box.tsx";
import { useText } from "#console/i18n/index.ts";
import {
  MultiSelect,
  NumberField,
  RadioGroup,
  Select,
  Switch,
  TextField,
} from "#console/ui/fields.tsx";

import type { Pool } from "./pools-page.tsx";

type Close = { readonly onClose: () => void };
type Preset = NonNullable<RequestOf<"createPool">["body"]["preset"]>;

export function PoolDialog({
  pool,
  onClose,
}: Close & { readonly pool: Pool | undefined }): ReactNode {
  return pool === undefined ? (
    <CreateDialog onClose={onClose} />
  ) : (
    <EditDialog pool={pool} onClose={onClose} />
  );
}

const presets: readonly Preset[] = ["high-end", "general", "edge"];

function CreateDialog({ onClose }: Close): ReactNode {
  const { t } = useText();
  const [name, setName] = useState("");
  const [preset, setPreset] = useState<Preset>("general");
  const create = useAction("createPool", { onDone: onClose });
  const request = { body: { name, preset } };
  return (
    <FormDialog
      title={t("infrastructure.pools.add")}
      onClose={onClose}
      submitLabel={t("common.create")}
      isBusy={create.isPending}
      error={create.error}
      disabledReason={name === "" ? t("account.nameNeeded") : undefined}
      call={{ operation: "createPool", request }}
      onSubmit={() => create.mutate(request)}
    >
      <TextField
        label={t("common.name")}
        description={t("account.dnsName")}
        value={name}
        onChange={(next) => setName(next.toLowerCase())}
        maxLength={63}
        autoFocus
        isCode
        required
        error={fieldError(create.error, "name")}
      />
      <RadioGroup
        label={t("infrastructure.pools.preset")}
        description={t("infrastructure.pools.presetText")}
        value={preset}
        onChange={setPreset}
        choices={presets.map((value) => ({
          value,
          label: t(`infrastructure.pools.presets.${value}`),
          description: t(`infrastructure.pools.presetTexts.${value}`),
        }))}
      />
    </FormDialog>
  );
}

function EditDialog({ pool, onClose }: Close & { readonly pool: Pool }): ReactNode {
  const { t } = useText();
  const tenants = useApi("listTenants", { query: { limit: 200 } });
  const [policy, setPolicy] = useState(pool.policy);
  const [serviceClass, setServiceClass] = useState(pool.serviceClass);
  const [slicesMax, setSlicesMax] = useState<number | undefined>(pool.slicesMax);
  const [reservePercent, setReserve] = useState<number | undefined>(pool.reservePercent);
  const [spread, setSpread] = useState(pool.spread);
  const [dedicated, setDedicated] = useState<readonly string[]>(pool.tenants ?? []);
  const update = useAction("updatePool", { onDone: onClose });
  const request = {
    params: { name: pool.name },
    body: {
      policy,
      serviceClass,
      spread,
      ...(slicesMax === undefined ? {} : { slicesMax }),
      ...(reservePercent === undefined ? {} : { reservePercent }),
      tenants: dedicated.length === 0 ? null : [...dedicated],
    },
  };
  const known = tenants.data?.items ?? [];
  return (
    <FormDialog
      title={t("infrastructure.pools.editTitle", { name: pool.name })}
      onClose={onClose}
      submitLabel={t("common.save")}
      isBusy={update.isPending}
      error={update.error}
      call={{ operation: "updatePool", request }}
      onSubmit={() => update.mutate(request)}
    >
      <Select
        label={t("infrastructure.pools.policy")}
        value={policy}
        onChange={(next) => setPolicy(next ?? pool.policy)}
        choices={(["exclusive", "shared", "edge"] as const).map((value) => ({
          value,
          label: t(`infrastructure.pools.policies.${value}`),
        }))}
        error={fieldError(update.error, "policy")}
      />
      <Select
        label={t("infrastructure.pools.class")}
        value={serviceClass}
        onChange={(next) => setServiceClass(next ?? pool.serviceClass)}
        choices={(["core", "standard", "any"] as const).map((value) => ({
          value,
          label: t(`infrastructure.pools.classes.${value}`),
        }))}
        error={fieldError(update.error, "serviceClass")}
      />
      <NumberField
        label={t("infrastructure.pools.slicesLabel")}
        description={t("infrastructure.pools.slicesHelp")}
        value={slicesMax}
        onChange={setSlicesMax}
        min={1}
        max={16}
        error={fieldError(update.error, "slicesMax")}
      />
      <NumberField
        label={t("infrastructure.pools.reserveLabel")}
        description={t("infrastructure.pools.reserveHelp")}
        value={reservePercent}
        onChange={setReserve}
        min={0}
        max={90}
        error={fieldError(update.error, "reservePercent")}
      />
      <Switch
        label={t("infrastructure.pools.spread")}
        description={t("infrastructure.pools.spreadHelp")}
        isOn={spread}
        onChange={setSpread}
      />
      <MultiSelect
        label={t("infrastructure.pools.wall")}
        description={t("infrastructure.pools.wallHelp")}
        value={dedicated}
        onChange={setDedicated}
        placeholder={dedicated.length === 0 ? t("infrastructure.pools.open") : ""}
        choices={[
          ...known.map(({ id, displayName }) => ({ value: id, label: displayName })),
          // Beyond what the list has.
          ...dedicated
            .filter((id) => !known.some((each) => each.id === id))
            .map((id) => ({ value: id, label: id })),
        ]}
      />
    </FormDialog>
  );
}
