/**
 * What KubeVirt's webhooks say to a machine (1.9), in their own words, before it is sent: a refusal is
 * known without a cluster, and a dry run against one must agree. What they let through and what breaks
 * afterwards is `refuse.ts`. Unknown fields and wrong types are the API server's business, not theirs.
 */
import type { Domain, InstanceBody } from "#providers/kubevirt/objects/machine.ts";

import { diskProblems } from "./admission-disks.ts";
import { isDedicated } from "./pod-size.ts";
import { parseMilli, parseUnits } from "./quantity.ts";

/** Sentences as the webhook writes them; none if it lets the machine through. */
export type Verdict = readonly string[];

/** Of a VirtualMachine, whose memory may yet come from an instance type. */
export function machineVerdict(spec: InstanceBody): Verdict {
  return verdict(spec, "spec.template.spec");
}

/** Of a VirtualMachineInstance that is made directly. */
export function instanceVerdict(spec: InstanceBody): Verdict {
  const found = [...verdict(spec, "spec")];
  const { memory, resources } = spec.domain;
  const nothing =
    memory?.guest === undefined &&
    memory?.hugepages === undefined &&
    resources?.requests?.["memory"] === undefined &&
    resources?.limits?.["memory"] === undefined;
  if (nothing) {
    found.push(
      "no memory requested, at least one of 'spec.domain.memory.guest', 'spec.domain.memory.hugepages.pageSize' or 'spec.domain.resources.requests.memory' must be set",
    );
  }
  return found;
}

function verdict(spec: InstanceBody, path: string): Verdict {
  const { domain } = spec;
  return [
    ...amountProblems(domain, `${path}.domain`),
    ...dedicatedProblems(domain, `${path}.domain`),
    ...memoryProblems(domain, `${path}.domain`),
    ...wordProblems(spec, path),
    ...claimProblems(spec),
    ...diskProblems(spec, path),
  ];
}

/** No request above its limit. */
function amountProblems({ resources }: Domain, path: string): Verdict {
  const { requests, limits } = resources ?? {};
  return ["memory", "cpu"].flatMap((name) => {
    const request = requests?.[name];
    const limit = limits?.[name];
    if (request === undefined || limit === undefined) return [];
    if ((parseMilli(request) ?? 0n) <= (parseMilli(limit) ?? 0n)) return [];
    return [
      `${path}.resources.requests.${name} '${request}' is greater than ${path}.resources.limits.${name} '${limit}'`,
    ];
  });
}

function dedicatedProblems(domain: Domain, path: string): Verdict {
  const { cpu, memory, resources } = domain;
  const found: string[] = [];
  if (!isDedicated(domain)) {
    if (cpu?.isolateEmulatorThread === true) {
      found.push(
        "IsolateEmulatorThread should be only set in combination with DedicatedCPUPlacement",
      );
    }
    return [...found, ...numaProblems(domain, path)];
  }
  const { requests, limits } = resources ?? {};
  const amounts = { requests: requests?.["cpu"], limits: limits?.["cpu"] };
  const given = Object.entries(amounts).filter((each) => each[1] !== undefined);
  if (cpu?.cores !== undefined && given.length > 0) {
    found.push(
      `${path}.resources.requests.cpu or ${path}.resources.limits.cpu must not be provided at the same time with ${path}.cpu.cores when DedicatedCPUPlacement is true `,
    );
  }
  for (const [name, amount] of given) {
    if ((parseMilli(amount ?? "0") ?? 0n) % 1000n === 0n) continue;
    // Their spelling.
    found.push(`provided resources CPU ${name} must be an interger`);
  }
  if (cpu?.threads !== undefined && cpu.threads > 2) {
    found.push(
      `Not more than two threads must be provided at ${path}.cpu.threads (got ${cpu.threads}) when DedicatedCPUPlacement is true`,
    );
  }
  const [requested, limited] = [requests?.["memory"], limits?.["memory"]];
  const differ = requested !== undefined && limited !== undefined && !same(requested, limited);
  if (differ && memory?.hugepages === undefined) {
    found.push(
      `${path}.resources.requests.memory must be equal to ${path}.resources.limits.memory`,
    );
  }
  return [...found, ...numaProblems(domain, path)];
}

function numaProblems({ cpu, memory }: Domain, path: string): Verdict {
  if (cpu?.numa?.guestMappingPassthrough === undefined || memory?.hugepages !== undefined)
    return [];
  return [
    `${path}.memory.hugepages must be requested when NUMA topology strategy is set in ${path}.cpu.numa.guestMappingPassthrough`,
  ];
}

function memoryProblems({ memory, resources }: Domain, path: string): Verdict {
  if (memory?.hugepages === undefined) return [];
  const { pageSize } = memory.hugepages;
  const page = parseUnits(pageSize) ?? 0n;
  const said = resources?.requests?.["memory"];
  const bytes = parseUnits(said ?? memory.guest ?? "0") ?? 0n;
  // The sentence names the request even where the guest's size was looked at.
  const subject = `${path}.resources.requests.memory '${said ?? "0"}'`;
  const object = `page size ${path}.memory.hugepages.pageSize '${pageSize}'`;
  if (bytes < page) return [`${subject} must be equal to or larger than ${object}`];
  if (page === 0n || bytes % page === 0n) return [];
  return [`${subject} is not a multiple of the ${object}`];
}

const evictionStrategies = new Set(["None", "LiveMigrate", "LiveMigrateIfPossible", "External"]);
const featurePolicies = new Set(["force", "require", "optional", "disable", "forbid"]);

function wordProblems({ domain, evictionStrategy }: InstanceBody, path: string): Verdict {
  const found: string[] = [];
  if (evictionStrategy !== undefined && !evictionStrategies.has(evictionStrategy)) {
    found.push(`${path}.evictionStrategy is set with an unrecognized option: ${evictionStrategy}`);
  }
  for (const { name, policy } of domain.cpu?.features ?? []) {
    if (policy === undefined || featurePolicies.has(policy)) continue;
    found.push(`CPU feature ${name} uses policy ${policy} that is not supported.`);
  }
  const type = domain.machine?.type;
  if (type !== undefined && !/^(?:pc-)?q35/u.test(type)) {
    found.push(
      `${path}.domain.machine.type is not supported: ${type} (allowed values: [q35* pc-q35*])`,
    );
  }
  return found;
}

function claimProblems({ domain, resourceClaims = [] }: InstanceBody): Verdict {
  const claims = new Set(resourceClaims.map(({ name }) => name));
  const missing = (domain.devices.gpus ?? []).some(
    ({ claimName }) => claimName !== undefined && !claims.has(claimName),
  );
  if (!missing) return [];
  return [
    "vmi.spec.resourceClaims must specify all claims used in vmi.spec.domain.devices.gpus and vmi.spec.domain.devices.hostDevices",
  ];
}

function same(one: string, other: string): boolean {
  return parseMilli(one) === parseMilli(other);
}
