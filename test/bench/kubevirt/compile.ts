/**
 * `npm run bench:kubevirt:compile -- [machines]`: how many machines a second the compiler turns into objects of
 * KubeVirt: spec to VirtualMachine, Secret, Service and claim, its pod's size, and every refusal looked
 * for. One thread, no cluster. Beside it, in the same run, what `JSON.stringify` of the same objects
 * takes: sending them costs that at least. At least 5,000 a second are asked for, of a thread that has a
 * core: so it is the rate by CPU time that counts, which others on the machine do not change.
 */
import { parseArgs } from "node:util";

import { compileMachine } from "#providers/kubevirt/compile/machine.ts";
import type { MachineAsk } from "#providers/kubevirt/compile/facts.ts";
import { databaseAsk, testAsk, trainingAsk } from "#providers/kubevirt/compile/test-ask.ts";

const { positionals } = parseArgs({ allowPositionals: true });
const machines = Number(positionals[0] ?? 20_000);
const wanted = 5000;

/** A third each: a plain machine, one for training with two GPUs, a database with three disks. */
const makes: readonly MachineAsk[] = [testAsk(), trainingAsk(), databaseAsk()];

function askOf(index: number): MachineAsk {
  const make = makes[index % makes.length] ?? testAsk();
  const id = `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`;
  return { ...make, spec: { ...make.spec, id } };
}

interface Timed {
  readonly perSecond: number;
  readonly cpuSeconds: number;
}

function timed(act: () => void): Timed {
  const before = process.cpuUsage();
  const began = performance.now();
  act();
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(before);
  return { perSecond: machines / seconds, cpuSeconds: (user + system) / 1e6 };
}

function print(name: string, { perSecond, cpuSeconds }: Timed): void {
  const rate = Math.round(perSecond).toLocaleString("en");
  const byCpu = Math.round(machines / cpuSeconds).toLocaleString("en");
  process.stdout.write(`${name}: ${byCpu} machines per CPU-s, ${rate}/s on the clock\n`);
}

const asks = Array.from({ length: machines }, (_, index) => askOf(index));
// Compiled code before the clock starts, as in a server that runs.
for (const ask of asks.slice(0, 1000)) compileMachine(ask);

const compiled: object[] = [];
const compiling = timed(() => {
  for (const ask of asks) {
    const result = compileMachine(ask);
    if ("refusals" in result) throw new Error(result.refusals.map((r) => r.message).join("; "));
    const { machine, secret, service, claim } = result;
    compiled.push({ machine, secret, service, claim });
  }
});
let bytes = 0;
const writing = timed(() => {
  for (const objects of compiled) bytes += JSON.stringify(objects).length;
});

print("compiled", compiling);
print("JSON.stringify of the same objects", writing);
process.stdout.write(
  `${Math.round(bytes / machines).toLocaleString("en")} characters a machine; ` +
    `compiling takes ${(compiling.cpuSeconds / writing.cpuSeconds).toFixed(1)} x writing; ` +
    `${machines / compiling.cpuSeconds >= wanted ? "met" : "MISSED"}: at least ${wanted.toLocaleString("en")}/s\n`,
);
