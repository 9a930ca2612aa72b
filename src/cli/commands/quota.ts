/** `quota show|set` */
import type { Command } from "commander";
import { z } from "zod";

import { define, flag, group, manyFlag, noArguments, noOptions, type Shell } from "#cli/define.ts";
import { table } from "#cli/table.ts";
import { count, pair } from "#cli/values.ts";
import type { AnswerOf } from "#client/types.ts";
import { updateQuotaBody } from "#contract/schemas/billing.ts";
import { Failure } from "#kernel/failure.ts";

type Quota = AnswerOf<"getQuota">;

const setOptions = z.object({
  vcpus: flag("--vcpus <n>", "CPUs", count.optional()),
  memoryMib: flag("--memory-mib <n>", "memory, in MiB", count.optional()),
  diskGib: flag("--disk-gib <n>", "disks, in GiB", count.optional()),
  leases: flag("--leases <n>", "leases", count.optional()),
  jobs: flag("--jobs <n>", "jobs", count.optional()),
  snapshots: flag("--snapshots <n>", "snapshots", count.optional()),
  storageGib: flag("--storage-gib <n>", "stored files, in GiB", count.optional()),
  gpu: manyFlag(
    "--gpu <MODEL=n>",
    "GPUs of a model; may be repeated; models not named stay as they are",
    z.array(pair).default([]),
  ),
});

export function addQuota(program: Command, shell: Shell): void {
  const quota = group(program, "quota", "Limits of a tenant");

  define(quota, shell, {
    usage: "show",
    summary: "Limits and use",
    args: noArguments,
    options: noOptions,
    act: async ({ client, out }) => {
      const value = await client.call("getQuota");
      await out.show({ value, ids: [], text: () => quotaText(value) });
    },
  });

  define(quota, shell, {
    usage: "set",
    summary: "For the operator: change a tenant's limits",
    args: noArguments,
    options: setOptions,
    examples: ["millrace --tenant acme quota set --vcpus 64 --gpu A100=8"],
    act: async ({ client, out }, _args, options) => {
      const { gpu, memoryMib, diskGib, storageGib, ...same } = options;
      const renamed = { ...same, memoryMiB: memoryMib, diskGiB: diskGib, storageGiB: storageGib };
      const given = Object.entries(renamed).filter(([, value]) => value !== undefined);
      if (given.length === 0 && gpu.length === 0) {
        throw new Failure("invalid_request", "Name what to change, such as --vcpus 64.");
      }
      const fields: Record<string, unknown> = Object.fromEntries(given);
      if (gpu.length > 0) {
        const { limits } = await client.call("getQuota");
        const wanted = gpu.map(([model, text]) => [model, count.parse(text)]);
        fields["gpus"] = { ...limits.gpus, ...Object.fromEntries(wanted) };
      }
      const value = await client.call("updateQuota", { body: updateQuotaBody.parse(fields) });
      await out.show({ value, ids: [], text: () => quotaText(value) });
    },
  });
}

function quotaText({ limits, used }: Quota): string {
  const models = [...new Set([...Object.keys(limits.gpus), ...Object.keys(used.gpus)])];
  const rows: readonly (readonly [string, number, number])[] = [
    ["CPUs", used.vcpus, limits.vcpus],
    ["Memory (MiB)", used.memoryMiB, limits.memoryMiB],
    ["Disks (GiB)", used.diskGiB, limits.diskGiB],
    ["Leases", used.leases, limits.leases],
    ["Jobs", used.jobs, limits.jobs],
    ["Snapshots", used.snapshots, limits.snapshots],
    ["Stored files (GiB)", used.storageGiB, limits.storageGiB],
    ...models.map((model): readonly [string, number, number] => [
      `GPU ${model}`,
      used.gpus[model] ?? 0,
      limits.gpus[model] ?? 0,
    ]),
  ];
  return table(
    [
      { title: "RESOURCE", cell: ([name]) => name },
      { title: "USED", cell: ([, use]) => use, right: true },
      { title: "LIMIT", cell: ([, , limit]) => limit, right: true },
    ],
    rows,
  );
}
