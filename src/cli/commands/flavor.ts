/** `flavor create|list|retire` (also `flavour`) */
import type { Command } from "commander";
import { z } from "zod";

import {
  define,
  flag,
  group,
  listOptions,
  noArguments,
  noOptions,
  oneArgument,
  type Shell,
} from "#cli/define.ts";
import { readTextFile } from "#cli/files.ts";
import { jsonOrUndefined } from "#cli/json.ts";
import { collect, listText } from "#cli/lists.ts";
import { fields, type Column } from "#cli/table.ts";
import { gpu, mebibytes, time, yesNo } from "#cli/text.ts";
import { gpuText, sizeGib, sizeMib } from "#cli/values.ts";
import {
  createFlavorBody,
  hugePages,
  poolName,
  serviceClass,
  type Flavor,
} from "#contract/schemas/catalog.ts";
import { Failure } from "#kernel/failure.ts";

const positive = z.coerce.number().int().min(1);

const createOptions = z.object({
  file: flag(
    "--file <file>",
    "a JSON file with the fields ('-' is stdin); options win",
    z.string().optional(),
  ),
  description: flag("--description <text>", "what it is for", z.string().optional()),
  vcpus: flag("--vcpus <n>", "CPUs", positive.optional()),
  sockets: flag("--sockets <n>", "sockets (default 1)", positive.optional()),
  threads: flag("--threads <n>", "threads per core (default 1)", positive.optional()),
  memory: flag("--memory <size>", "memory, such as 4GiB", sizeMib.optional()),
  disk: flag("--disk <size>", "disk, such as 40GiB", sizeGib.optional()),
  gpu: flag(
    "--gpu <gpu>",
    "A100, A100:2 for two, or A100/4 for a quarter of one",
    gpuText.optional(),
  ),
  class: flag("--class <class>", "core (nothing shared) or standard", serviceClass.optional()),
  overcommit: flag(
    "--overcommit <percent>",
    "virtual CPUs per 100 real ones, 100 to 150 (default 100)",
    positive.optional(),
  ),
  nvlink: flag("--nvlink", "all its GPUs in one NVLink group", z.literal(true).optional()),
  numa: flag("--numa", "CPUs, memory and GPUs on one NUMA node", z.literal(true).optional()),
  pool: flag("--pool <pool>", "the pool that it is sold from", poolName.optional()),
  hugePages: flag("--huge-pages <size>", "none, 2Mi or 1Gi", hugePages.optional()),
});

const columns: readonly Column<Flavor>[] = [
  { title: "FLAVOR", cell: (flavor) => flavor.name },
  { title: "STATE", cell: (flavor) => flavor.state },
  { title: "VCPU", cell: (flavor) => flavor.vcpus, right: true },
  { title: "MEMORY", cell: (flavor) => mebibytes(flavor.memoryMiB), right: true },
  { title: "DISK", cell: (flavor) => `${flavor.diskGiB} GiB`, right: true },
  { title: "GPU", cell: (flavor) => gpu(flavor.gpu) },
  { title: "CLASS", cell: (flavor) => flavor.serviceClass },
  { title: "OVERCOMMIT", cell: (flavor) => `${flavor.overcommitPercent}%`, right: true },
  { title: "CREATED", cell: (flavor) => time(flavor.createdAt) },
  { title: "DESCRIPTION", cell: (flavor) => flavor.description },
];

export function addFlavors(program: Command, shell: Shell): void {
  const flavor = group(program, "flavor", "Sizes of machines").alias("flavour");

  define(flavor, shell, {
    usage: "create <name>",
    summary: "Add a flavor",
    args: oneArgument,
    options: createOptions,
    examples: [
      "millrace flavor create small --vcpus 1 --memory 1GiB --disk 10GiB",
      "millrace flavor create a100-1 --vcpus 16 --memory 128GiB --disk 500GiB --gpu A100 --class core",
      "millrace flavor create odd --file flavor.json",
    ],
    act: async ({ client, out }, [name], options) => {
      const body = createFlavorBody.safeParse(await fieldsFrom(name, options));
      if (!body.success) throw unfit(body.error);
      const value = await client.call("createFlavor", { body: body.data });
      await out.show({ value, ids: [value.name], text: () => flavorText(value) });
    },
  });

  define(flavor, shell, {
    usage: "list",
    alias: "ls",
    summary: "All flavors, retired ones included; 'offers' shows prices",
    args: noArguments,
    options: listOptions,
    act: async ({ client, out }, _args, { limit }) => {
      const found = await collect(client.items("listFlavors"), { limit });
      await out.show({
        value: { items: found.items },
        ids: found.items.map((item) => item.name),
        text: () => listText(columns, found, "No flavors."),
      });
    },
  });

  define(flavor, shell, {
    usage: "retire <name>",
    summary: "Stop offering a flavor; what runs on it stays",
    args: oneArgument,
    options: noOptions,
    act: async ({ client, out }, [name]) => {
      await client.call("retireFlavor", { params: { name } });
      await out.show({ value: { retired: name }, ids: [name], text: () => `Retired ${name}.\n` });
    },
  });
}

async function fieldsFrom(
  name: string,
  options: z.output<typeof createOptions>,
): Promise<Record<string, unknown>> {
  const base = options.file === undefined ? {} : await fileFields(options.file);
  const given: Record<string, unknown> = {
    vcpus: options.vcpus,
    cpu: topology(options),
    memoryMiB: options.memory,
    diskGiB: options.disk,
    gpu: options.gpu,
    serviceClass: options.class,
    overcommitPercent: options.overcommit,
    hugePages: options.hugePages,
    nvlink: options.nvlink,
    numa: options.numa,
    pool: options.pool,
    description: options.description,
  };
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...base, name, ...Object.fromEntries(set) };
}

async function fileFields(path: string): Promise<Record<string, unknown>> {
  const parsed = z
    .record(z.string(), z.unknown())
    .safeParse(jsonOrUndefined(await readTextFile(path)));
  if (parsed.success) return parsed.data;
  throw new Failure("invalid_request", `${path} is not a JSON object.`);
}

/** Sockets x cores x threads is the number of CPUs. */
function topology(options: z.output<typeof createOptions>): unknown {
  const { vcpus, sockets = 1, threads = 1 } = options;
  if (vcpus === undefined) return undefined;
  if (vcpus % (sockets * threads) !== 0) {
    throw new Failure(
      "invalid_request",
      `${vcpus} CPUs cannot be made of ${sockets} sockets with ${threads} threads per core.`,
    );
  }
  return { sockets, cores: vcpus / (sockets * threads), threads };
}

const optionOfField: Readonly<Record<string, string>> = {
  vcpus: "--vcpus",
  cpu: "--vcpus",
  memoryMiB: "--memory",
  diskGiB: "--disk",
  gpu: "--gpu",
};

function unfit(error: z.ZodError): Failure {
  const [issue] = error.issues;
  const field = issue?.path.join(".") ?? "";
  const option = optionOfField[String(issue?.path[0])];
  const hint = option === undefined ? "" : ` See ${option}.`;
  return new Failure(
    "invalid_request",
    `The flavor's ${field}: ${issue?.message ?? "wrong"}.${hint}`,
  );
}

function flavorText(flavor: Flavor): string {
  return fields([
    ["Name", flavor.name],
    [
      "CPUs",
      `${flavor.vcpus} (${flavor.cpu.sockets} x ${flavor.cpu.cores} x ${flavor.cpu.threads})`,
    ],
    ["Memory", mebibytes(flavor.memoryMiB)],
    ["Disk", `${flavor.diskGiB} GiB`],
    ["GPU", gpu(flavor.gpu)],
    ["Class", flavor.serviceClass],
    ["Overcommit", `${flavor.overcommitPercent}%`],
    ["Huge pages", flavor.hugePages],
    ["NVLink", yesNo(flavor.nvlink)],
    ["One NUMA node", yesNo(flavor.numa)],
    ["Pool", flavor.pool ?? "any that is open to it"],
    ["Id", flavor.id],
  ]);
}
