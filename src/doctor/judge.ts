/** What the facts mean: each finding is ok, a warning or a problem, with what to do about it. */
import { installLine } from "#providers/local/image/host-packages.ts";

import type { DatabaseFacts, DataFacts, Facts, PageFacts } from "./facts.ts";

export interface Finding {
  readonly check: string;
  readonly verdict: "ok" | "warning" | "problem";
  readonly says: string;
  /** What to do; nothing for `ok`. */
  readonly todo?: string;
}

const mebibyte = 1024 * 1024;
const gibibyte = 1024 * mebibyte;
const nodeMajorMin = 24;
const freeBytesMin = 512 * mebibyte;
const freeBytesEnough = 10 * gibibyte;
const memoryBytesMin = 512 * mebibyte;
const memoryBytesEnough = 2 * gibibyte;
const databaseVersionMin = 160_000;

export function judge(facts: Facts, pages: PageFacts): readonly Finding[] {
  return [
    nodeVersion(facts.node),
    ...programs(facts),
    execution(facts),
    limits(facts),
    memory(facts),
    port(facts),
    ...dataDirectory(facts.data),
    database(facts.database),
    ...keptMachines(facts.database),
    ...sites(facts),
    databasePages(facts.database, pages),
  ];
}

/** The worst of them. */
export function verdictOf(findings: readonly Finding[]): Finding["verdict"] {
  if (findings.some(({ verdict }) => verdict === "problem")) return "problem";
  return findings.some(({ verdict }) => verdict === "warning") ? "warning" : "ok";
}

function nodeVersion(version: string): Finding {
  const check = "Node";
  if (Number(/^v?(\d+)/.exec(version)?.[1]) >= nodeMajorMin) return ok(check, version);
  return problem(check, `${version} is too old`, "start with npm start, which brings Node 24");
}

/** The next start installs them or asks for them, so none may be missing. */
function programs({ qemu, missing }: Facts): Finding[] {
  const findings = qemu === undefined ? [] : [ok("QEMU", qemu)];
  if (missing.length === 0) return [...findings, ok("Other programs", "all there")];
  return [
    ...findings,
    ...missing.map((each) =>
      problem(each.package, `missing: it ${each.reason}`, installLine([each.package])),
    ),
  ];
}

const kvmAdvice: Readonly<Record<Facts["kvmDevice"], string>> = {
  absent: "turn on virtualization in the firmware, or nested virtualization if this is a VM",
  closed: "let this account open /dev/kvm (usermod -aG kvm, then log in again)",
  open: "do what that says; in a VM, its own host must offer nested virtualization",
};

function execution({ execution: found, kvmDevice }: Facts): Finding {
  const check = "KVM";
  switch (found.kind) {
    case "kvm":
      return ok(check, found.reason);
    case "emulated":
      return warning(
        check,
        `machines are emulated, several times slower: ${found.reason}`,
        kvmAdvice[kvmDevice],
      );
    case "unknown":
      return warning(check, `not known: ${found.reason}`, "start Millrace once, and look again");
  }
}

function limits({ cgroup, cgroupWritable }: Facts): Finding {
  const check = "CPU limits";
  if (cgroup !== undefined && cgroupWritable) return ok(check, `cgroup version ${cgroup}`);
  const says =
    cgroup === undefined
      ? "no cgroup CPU controller"
      : `cgroup version ${cgroup} may not be changed by this account`;
  return warning(
    check,
    `${says}: a busy machine is only given a lower priority`,
    "run as root, or have a cgroup delegated",
  );
}

function memory({ memoryBytes, cpus }: Facts): Finding {
  const check = "Memory";
  const says = `${gib(memoryBytes.available)} of ${gib(memoryBytes.total)} GiB free, ${cpus} CPUs`;
  if (memoryBytes.available < memoryBytesMin) {
    return problem(check, says, "end other programs; half a gigabyte is the least");
  }
  if (memoryBytes.available < memoryBytesEnough) {
    return warning(check, says, "only a few small machines will fit");
  }
  return ok(check, says);
}

function port({ port: { number, takenBy } }: Facts): Finding {
  const check = `Port ${number}`;
  switch (takenBy) {
    case "nobody":
      return ok(check, "free");
    case "millrace":
      return ok(check, "Millrace answers on it");
    case "another":
      return problem(check, "another program listens on it", "start with --port another");
  }
}

function dataDirectory(data: DataFacts): Finding[] {
  const check = "Data directory";
  const findings: Finding[] = [];
  if (!data.isThere) findings.push(ok(check, `${data.path} will be made at the first start`));
  else if (!data.writable) {
    findings.push(problem(check, `${data.path} may not be written`, "run as its owner"));
  } else {
    const used = data.lockedBy === undefined ? "" : `, in use by process ${data.lockedBy}`;
    findings.push(ok(check, `${data.path}${used}`));
  }
  if (data.closedAt !== undefined) {
    findings.push(
      problem(
        "Way to the data",
        `QEMU and PostgreSQL run under accounts of their own, which may not pass ${data.closedAt}`,
        `choose another --data-directory, or chmod o+x ${data.closedAt}`,
      ),
    );
  }
  if (data.openParts.length > 0) {
    findings.push(
      problem(
        "Secrets",
        `others may read ${data.openParts.join(", ")}`,
        `chmod go-rwx ${data.openParts.join(" ")}`,
      ),
    );
  }
  findings.push(diskSpace(data.freeBytes));
  return findings;
}

function diskSpace(freeBytes: number): Finding {
  const check = "Disk space";
  const says = `${gib(freeBytes)} GiB free`;
  if (freeBytes < freeBytesMin) return problem(check, says, "free some space before starting");
  if (freeBytes < freeBytesEnough)
    return warning(check, says, "disks of machines will fill it soon");
  return ok(check, says);
}

function database(found: DatabaseFacts): Finding {
  const check = "Database";
  switch (found.kind) {
    case "none":
      return ok(check, "will be made at the first start");
    case "stopped":
      return ok(check, "stopped; it starts with Millrace");
    case "unreachable":
      return problem(check, `${found.where} does not answer: ${found.reason}`, "see its log");
    case "answers": {
      const says = `PostgreSQL ${Math.floor(found.version / 10_000)}.${found.version % 10_000}, ${found.where}`;
      if (found.version < databaseVersionMin) {
        return problem(check, `${says}: too old`, "use PostgreSQL 16 or newer");
      }
      if (!found.durable) {
        return problem(
          check,
          `${says}: a power failure may lose what was committed`,
          "set fsync, full_page_writes and synchronous_commit to on",
        );
      }
      if (found.checksums) return ok(check, `${says}, page checksums on`);
      return warning(
        check,
        `${says}: page checksums are off, damage is not noticed`,
        "turn them on with pg_checksums while it is stopped",
      );
    }
  }
}

function keptMachines(found: DatabaseFacts): readonly Finding[] {
  if (found.kind !== "answers" || found.keptMachines === 0) return [];
  return [
    problem(
      "Kept machines",
      `${found.keptMachines} at a platform that no row ever named: the database is older than they are`,
      "look at them, then adopt or remove each: millrace orphan list",
    ),
  ];
}

/** As the server saw them last; one that is stopped sees nothing new. */
function sites({ data, database: found }: Facts): readonly Finding[] {
  if (found.kind !== "answers") return [];
  // Who shares a database may run on any machine.
  const runs = data.lockedBy !== undefined || found.where === "external";
  return found.sites.flatMap(
    ({ name, kind, version, reachable, trouble, findings, seenAt, isAway }) => {
      const check = `Site ${name}`;
      const forGood = `; if it is gone for good, take it out of the settings, then: millrace site retire ${name}`;
      const since = isAway && seenAt !== null ? `; away since ${seenAt.toISOString()}` : "";
      const judged = findings.map(({ severity, message, advice }) =>
        severity === "problem" ? problem(check, message, advice) : warning(check, message, advice),
      );
      if (!reachable) {
        const says = trouble === null ? "does not answer" : `cannot be used: ${trouble}`;
        const todo = "mend what it says; it is tried again by itself";
        return [problem(check, `${says}${since}`, isAway ? todo + forGood : todo), ...judged];
      }
      // Where nothing runs, nothing looks: that is said elsewhere.
      if (isAway && runs) {
        const todo =
          "start a process that works (--role work or all) and has it among its clusters";
        return [problem(check, `no process looks at it${since}`, todo + forGood), ...judged];
      }
      return judged.length === 0 ? [ok(check, `${kind} ${version}`)] : judged;
    },
  );
}

function databasePages(found: DatabaseFacts, pages: PageFacts): Finding {
  const check = "Database pages";
  if ("because" in pages) return ok(check, `not read: ${pages.because}`);
  if (pages.damaged.length === 0) return ok(check, `${pages.pages} match their checksums`);
  return problem(
    check,
    `${pages.damaged.length} are damaged: ${pages.damaged.slice(0, 3).join(", ")}`,
    found.kind === "stopped"
      ? "restore a backup: millrace restore ARCHIVE --only database"
      : "stop Millrace and restore a backup: millrace restore ARCHIVE --only database",
  );
}

function ok(check: string, says: string): Finding {
  return { check, verdict: "ok", says };
}

function warning(check: string, says: string, todo: string): Finding {
  return { check, verdict: "warning", says, todo };
}

function problem(check: string, says: string, todo: string): Finding {
  return { check, verdict: "problem", says, todo };
}

function gib(bytes: number): string {
  return (bytes / gibibyte).toFixed(1);
}
