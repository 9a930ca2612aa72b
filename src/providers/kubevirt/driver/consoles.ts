/**
 * Ways into a machine through the API server. The serial console begins with what the guest has printed
 * before, which the pod keeps as the log of a container of its own.
 */
import { Duplex, PassThrough, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import { labelKeys } from "#providers/kubevirt/compile/labels.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { ReadCall } from "#providers/provider.ts";

import { missing, refused } from "./errors.ts";
import type { Hands } from "./hands.ts";
import type { KeptMachine } from "./kept.ts";

const logContainer = "guest-console-log";
const replayBytesMax = 64 * 1024;

export async function openConsole(
  hands: Hands,
  call: ReadCall,
  machineId: string,
  kind: "serial" | "vnc",
): Promise<Duplex> {
  const machine = await hands.find(call, machineId);
  if (machine === undefined) throw missing(machineId);
  if (hands.view.instances.get(machineId)?.seen.status?.phase !== "Running") {
    throw refused("The machine does not run: it has no console now. Start it first.");
  }
  const name = { namespace: machine.namespace, name: machine.name };
  if (kind === "vnc") return hands.client.stream(call, kinds.machineInstanceAction, name, "vnc");
  const before = await printedBefore(hands, call, machine);
  const live = await hands.client.stream(call, kinds.machineInstanceAction, name, "console");
  return before === undefined ? live : withReplay(before, live, call.signal);
}

/** `undefined` where the site keeps no such log. */
async function printedBefore(
  hands: Hands,
  call: ReadCall,
  { namespace, machineId }: KeptMachine,
): Promise<Readable | undefined> {
  const labels = `${labelKeys.machine}=${machineId}`;
  const { items } = await hands.client.list(call, kinds.pod, { namespace, labels });
  const pod = items.find((item) => item.metadata.name.startsWith("virt-launcher-"));
  if (pod === undefined) return undefined;
  const query = { container: logContainer, limitBytes: String(replayBytesMax) };
  const name = { namespace, name: pod.metadata.name };
  try {
    return await hands.client.bytes(call, kinds.pod, { name, what: "log", query });
  } catch {
    // Switched off for the site, or not begun: the console is there without it.
    return undefined;
  }
}

function withReplay(before: Readable, live: Duplex, signal: AbortSignal): Duplex {
  const shown = new PassThrough();
  const both = Duplex.from({ readable: shown, writable: live });
  const end = (): void => {
    both.destroy();
    live.destroy();
    before.destroy();
  };
  both.once("close", end);
  live.once("close", () => both.destroy());
  signal.addEventListener("abort", end, { once: true });
  const copy = async (): Promise<void> => {
    await pipeline(before, shown, { end: false, signal });
    await pipeline(live, shown, { signal });
  };
  copy().catch(end);
  return both;
}
