/** A new flavor with the fields that most have; what is rarer is for the command line. */
import { useState, type ReactNode } from "react";

import { useAction, useApi } from "#console/api/queries.ts";
import { FormDialog } from "#console/components/form-dialog.tsx";
import { fieldError } from "#console/components/problem-box.tsx";
import { useText } from "#console/i18n/index.ts";
import { NumberField, Select, TextField } from "#console/ui/fields.tsx";
import { Grid } from "#console/ui/layout.tsx";
import { Muted } from "#console/ui/text.tsx";

import { gpuSums } from "./fleet.ts";
import { useAllHosts } from "./use-fleet.ts";

const none = "-";

export function FlavorDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const { t } = useText();
  const hosts = useAllHosts();
  const pools = useApi("listPools", { query: { limit: 200 } });
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const [vcpus, setVcpus] = useState<number | undefined>(4);
  const [memoryGib, setMemory] = useState<number | undefined>(16);
  const [diskGiB, setDisk] = useState<number | undefined>(100);
  const [model, setModel] = useState(none);
  const [count, setCount] = useState<number | undefined>(1);
  const [slice, setSlice] = useState<number | undefined>(1);
  const [pool, setPool] = useState(none);
  const [serviceClass, setServiceClass] = useState<"core" | "standard">("standard");
  const [sku, setSku] = useState("");
  const create = useAction("createFlavor", { onDone: onClose });
  const body = {
    name,
    description: description.trim(),
    vcpus: vcpus ?? 0,
    cpu: { sockets: 1, cores: vcpus ?? 0, threads: 1 },
    memoryMiB: (memoryGib ?? 0) * 1024,
    diskGiB: diskGiB ?? 0,
    gpu: model === none ? null : { model, count: count ?? 1, slice: slice ?? 1 },
    pool: pool === none ? null : pool,
    serviceClass,
    subscriptionSku: sku.trim() === "" ? null : sku.trim(),
  };
  const isWhole = name !== "" && [vcpus, memoryGib, diskGiB].every((value) => value !== undefined);
  return (
    <FormDialog
      title={t("infrastructure.flavors.add")}
      onClose={onClose}
      submitLabel={t("common.create")}
      isBusy={create.isPending}
      error={create.error}
      disabledReason={isWhole ? undefined : t("infrastructure.flavors.notWhole")}
      call={{ operation: "createFlavor", request: { body } }}
      onSubmit={() => create.mutate({ body })}
      size="lg"
    >
      <TextField
        label={t("common.name")}
        description={t("infrastructure.flavors.nameHelp")}
        value={name}
        onChange={(next) => setName(next.toLowerCase())}
        maxLength={63}
        autoFocus
        isCode
        required
        error={fieldError(create.error, "name")}
      />
      <TextField
        label={t("infrastructure.flavors.description")}
        value={description}
        onChange={setDescription}
        maxLength={500}
        error={fieldError(create.error, "description")}
      />
      <Grid columns={3}>
        <NumberField
          label="vCPU"
          value={vcpus}
          onChange={setVcpus}
          min={1}
          error={fieldError(create.error, "vcpus")}
        />
        <NumberField
          label={`${t("infrastructure.memory")} (GiB)`}
          value={memoryGib}
          onChange={setMemory}
          min={1}
          error={fieldError(create.error, "memoryMiB")}
        />
        <NumberField
          label={`${t("infrastructure.disk")} (GiB)`}
          value={diskGiB}
          onChange={setDisk}
          min={1}
          error={fieldError(create.error, "diskGiB")}
        />
        <Select
          label="GPU"
          value={model}
          onChange={(next) => setModel(next ?? none)}
          choices={[
            { value: none, label: t("common.none") },
            ...gpuSums(hosts.items).map((each) => ({ value: each.model, label: each.model })),
          ]}
        />
        {model === none ? null : (
          <>
            <NumberField
              label={t("infrastructure.flavors.count")}
              value={count}
              onChange={setCount}
              min={1}
              max={16}
              error={fieldError(create.error, "gpu.count")}
            />
            <NumberField
              label={t("infrastructure.flavors.slice")}
              description={t("infrastructure.flavors.sliceHelp")}
              value={slice}
              onChange={setSlice}
              min={1}
              max={64}
              error={fieldError(create.error, "gpu.slice")}
            />
          </>
        )}
      </Grid>
      <Select
        label={t("infrastructure.pools.class")}
        value={serviceClass}
        onChange={(next) => setServiceClass(next ?? "standard")}
        choices={(["standard", "core"] as const).map((value) => ({
          value,
          label: t(`infrastructure.pools.classes.${value}`),
        }))}
      />
      <Select
        label={t("infrastructure.pool")}
        value={pool}
        onChange={(next) => setPool(next ?? none)}
        choices={[
          { value: none, label: t("infrastructure.flavors.anyPool") },
          ...(pools.data?.items ?? []).map((each) => ({ value: each.name, label: each.name })),
        ]}
      />
      <TextField
        label={t("infrastructure.flavors.sku")}
        description={t("infrastructure.flavors.skuHelp")}
        placeholder="vm.a100x1"
        value={sku}
        onChange={setSku}
        maxLength={90}
        isCode
        error={fieldError(create.error, "subscriptionSku")}
      />
      <Muted>{t("infrastructure.flavors.rest")}</Muted>
    </FormDialog>
  );
}
