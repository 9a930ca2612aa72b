/**
 * What is refused before anything is sent: work that would be accepted and then wait for ever, and
 * shares of a GPU that do not keep tenants apart. Each says what is wrong with the numbers, and who can
 * do something about it.
 */
import type { Refusal } from "#providers/kubevirt/compile/refuse.ts";

import { classValues } from "./classes.ts";
import { flavorOf, type GpuAsk, type JobAsk, type JobFlavor, type JobSite } from "./model.ts";
import { agentShare, gpuAmounts } from "./pod.ts";

/** An object of Kubernetes holds 1.5 MiB, and Kueue keeps a copy of the pod beside it. */
const textBytesMax = 512 * 1024;
const membersMax = 1024;
/** Kubernetes counts seconds in 32 bits. */
const secondsMax = 2 ** 31 - 1;

/** The most of each resource, in its smallest unit, that the tenant's queue can ever have at once. */
export type QueueRoom = ReadonlyMap<string, bigint>;

export interface JobFacts {
  readonly site: JobSite;
  /** Of the ask's flavor; absent if it is not known. */
  readonly room?: QueueRoom;
}

export function jobRefusals(ask: JobAsk, facts: JobFacts): readonly Refusal[] {
  const { site } = facts;
  const flavor = flavorOf(site, ask.gpu);
  return [
    ...shapeRefusals(ask),
    ...(flavor === undefined ? [noFlavor(ask, site)] : gpuRefusals(ask, site, flavor)),
    ...priorityRefusals(site),
    ...roomRefusals(ask, facts),
  ];
}

function shapeRefusals(ask: JobAsk): readonly Refusal[] {
  const found: Refusal[] = [];
  const members = ask.memberIds.length;
  if (members < 1 || members > membersMax) {
    const message = `A job has 1 to ${membersMax} members, and this one asks for ${members}.`;
    found.push({ code: "members", for: "customer", message, details: { members, membersMax } });
  }
  if (ask.cpuMilli <= agentShare.cpuMilli || ask.memoryBytes <= 2 * agentShare.memoryBytes) {
    const message =
      "The flavor is too small for a job here: what brings its inputs and its log home takes 0.02 CPU and 32 MiB of it, and nothing would be left.";
    const details = { cpuMilli: ask.cpuMilli, memoryBytes: ask.memoryBytes };
    found.push({ code: "too_small", for: "customer", message, details });
  }
  const bytes = textBytes(ask);
  if (bytes > textBytesMax) {
    const message = `Command and environment have ${bytes} bytes, and an object of the cluster holds ${textBytesMax} of them: put what is large into an input file.`;
    found.push({
      code: "text_too_large",
      for: "customer",
      message,
      details: { bytes, bytesMax: textBytesMax },
    });
  }
  if (ask.timeLimitSeconds < 1 || ask.timeLimitSeconds > secondsMax / 2) {
    const message = `A time limit of ${ask.timeLimitSeconds} s cannot be kept by the cluster.`;
    found.push({ code: "time_limit", for: "customer", message });
  }
  return found;
}

function textBytes({ command, environment, checkpoint }: JobAsk): number {
  return Buffer.byteLength(JSON.stringify([command, environment, checkpoint ?? []]));
}

function noFlavor({ gpu }: JobAsk, site: JobSite): Refusal {
  const offered = site.flavors.map(({ name }) => name);
  const asked =
    gpu === null ? "no GPU" : `${gpu.resource} (1/${gpu.slice}) of the model ${gpu.model}`;
  const wholeOf = (resource: string) =>
    site.flavors.some((flavor) => flavor.gpu?.resource === resource && flavor.gpu.slice === 1);
  if (gpu !== null && gpu.slice > 1 && wholeOf(gpu.resource)) {
    const message = `${gpu.resource} counts whole devices here, and a part of one was asked for under that name: it would get, and hold, all of it.`;
    return { code: "whole_for_a_slice", for: "operator", message, details: { ...gpu } };
  }
  const message = `No queue here is for ${asked}. There are: ${offered.join(", ")}.`;
  return { code: "no_flavor", for: "operator", message, details: { offered } };
}

function gpuRefusals(ask: JobAsk, site: JobSite, flavor: JobFlavor): readonly Refusal[] {
  const { gpu } = ask;
  if (gpu === null || flavor.gpu === null) return [];
  const details = { ...gpu, flavor: flavor.name };
  const refuse = (code: string, message: string, whose: Refusal["for"] = "operator"): Refusal => ({
    code,
    for: whose,
    message,
    details,
  });
  const found: Refusal[] = [];
  const { sharing } = flavor.gpu;
  if (gpu.count < 1) found.push(refuse("no_gpu", "It asks for GPUs, and for none of them."));
  if (sharing === "time-slicing") {
    found.push(
      refuse(
        "time_slicing",
        `${gpu.resource} is a card in turns: whoever shares it sees no wall around memory, and one's fault ends all. It is not sold; use MIG, or HAMi on machines of one tenant.`,
      ),
    );
  } else if (sharing !== gpu.sharing) {
    found.push(
      refuse(
        "other_sharing",
        `${gpu.resource} of ${gpu.model} is shared by ${sharing}, not by ${gpu.sharing}.`,
      ),
    );
  }
  if (sharing === "none" && gpu.slice > 1) {
    found.push(
      refuse(
        "whole_for_a_slice",
        `${gpu.resource} counts whole devices, and a part of one was asked for.`,
      ),
    );
  }
  if (sharing === "mig") found.push(...migRefusals(gpu, refuse));
  if (sharing === "hami") found.push(...hamiRefusals({ ask, site, flavor }, refuse));
  return found;
}

type Refuse = (code: string, message: string, whose?: Refusal["for"]) => Refusal;

/** A30, A100 and A800, and what came after them for data centers; not T4, A10, A40, L4, L40S. */
const migModels = /^(?:nvidia[- ])?(?:a30|a100|a800|gh200|gb\d+|h\d+|b\d+)(?!\d)/iu;

function migRefusals(gpu: GpuAsk, refuse: Refuse): readonly Refusal[] {
  const found: Refusal[] = [];
  if (!migModels.test(gpu.model)) {
    found.push(
      refuse(
        "no_mig",
        `A ${gpu.model} cannot be cut by its hardware (MIG): A30, A100, H100 and later can.`,
      ),
    );
  }
  if (gpu.slice > 7) {
    found.push(
      refuse("mig_parts", `A card is cut into 7 parts at most, and this is 1/${gpu.slice}.`),
    );
  }
  if (gpu.count > 1) {
    found.push(
      refuse(
        "mig_one",
        `A program uses one part of a card at a time, and ${gpu.count} were asked for: take a larger part, or more members.`,
        "customer",
      ),
    );
  }
  return found;
}

function hamiRefusals(
  of: { readonly ask: JobAsk; readonly site: JobSite; readonly flavor: JobFlavor },
  refuse: Refuse,
): readonly Refusal[] {
  const { ask, site, flavor } = of;
  const hami = flavor.gpu?.hami;
  const found: Refusal[] = [];
  if (site.batch !== "volcano") {
    found.push(
      refuse(
        "hami_without_volcano",
        "Soft shares of a card (HAMi) are placed by Volcano, and this site's jobs go through Kueue.",
      ),
    );
  }
  if (hami === undefined) {
    found.push(
      refuse(
        "hami_names",
        `${flavor.name} does not say how memory and cores of a share are named.`,
      ),
    );
  } else if (!hami.bestEffort && !site.tenantsWithNodes.has(ask.owner.tenantId)) {
    found.push(
      refuse(
        "hami_across_tenants",
        "A soft share (HAMi) is kept apart by a library in the customer's own process, which is no wall to another tenant: it needs machines that serve this tenant alone, or a flavor that is openly best effort.",
      ),
    );
  }
  if (ask.gpu !== null && ask.gpu.count > 1) {
    found.push(
      refuse(
        "hami_one",
        "Parts of several cards are not one larger card: ask for a larger part.",
        "customer",
      ),
    );
  }
  return found;
}

/** A machine that is preempted is powered off under its customer: no job may do that. */
function priorityRefusals(site: JobSite): readonly Refusal[] {
  const most = Math.max(...Object.values(classValues));
  if (most < site.machinePriorityMin) return [];
  const message = `Jobs have priorities up to ${most}, and machines begin at ${site.machinePriorityMin}: a job could push a machine out. Raise the machines' PriorityClass.`;
  return [{ code: "job_outranks_machine", for: "operator", message, details: { most } }];
}

/** What a job asks in all, as its queue counts it. */
export function queueUse(ask: JobAsk, site: JobSite): ReadonlyMap<string, bigint> {
  const members = BigInt(ask.memberIds.length);
  const each: readonly (readonly [string, bigint])[] = [
    ["cpu", BigInt(ask.cpuMilli)],
    ["memory", BigInt(ask.memoryBytes)],
    ["ephemeral-storage", BigInt(ask.diskBytes)],
    ...Object.entries(gpuAmounts(ask, site)).map(([name, text]) => [name, BigInt(text)] as const),
  ];
  return new Map(each.map(([name, amount]) => [name, amount * members]));
}

function roomRefusals(ask: JobAsk, { site, room }: JobFacts): readonly Refusal[] {
  if (room === undefined) return [];
  return [...queueUse(ask, site)].flatMap(([resource, asked]) => {
    const most = room.get(resource) ?? 0n;
    if (asked <= most) return [];
    const message = `It asks for ${asked} of ${resource}, and the queue of this customer never has more than ${most}: it would wait for ever.`;
    return [
      {
        code: "over_quota",
        for: "customer" as const,
        message,
        details: { resource, asked: String(asked), most: String(most) },
      },
    ];
  });
}
