/**
 * Whether KVM works here. That /dev/kvm is there, opens, and even makes virtual CPUs says too
 * little: some hosts offer a KVM in which every guest hangs. So a probe machine boots our kernel up
 * to the first line of its first program; only if that line comes in time do machines use KVM, and
 * otherwise they are emulated. The answer is kept for this boot of the host and this QEMU.
 */
import { spawn } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { performance } from "node:perf_hooks";
import { z } from "zod";

import type { Accelerator } from "./driver.ts";
import { readIfThere, writeDurably } from "./files.ts";
import { bootId } from "./process.ts";

export interface ProbeOptions {
  readonly image: {
    readonly kernelPath: string;
    readonly initrdPath: string;
    readonly kernelArguments: string;
  };
  readonly qemu: { readonly system: string; readonly version: string };
  /** Where the answer is kept. */
  readonly cacheFile: string;
  /** Who machines run as, if not as we do: KVM must work for them. */
  readonly user?: { readonly uid: number; readonly gid: number };
  readonly device?: string;
  readonly signal: AbortSignal;
}

/** A working KVM boots to this line in 0.3 s, on a busy host in one or two. */
const probeMs = 4_000;
const firstLine = "millrace: probe reached user space";
const saidBytesMax = 64 * 1024;

/** Without features that send emulated guests on long ways. */
const emulatedCpu = "qemu64,+rdrand,-svm";

const answerSchema = z.object({
  bootId: z.string(),
  qemuVersion: z.string(),
  works: z.boolean(),
  saw: z.string(),
});
type Answer = z.infer<typeof answerSchema>;

export async function probeAccelerator(options: ProbeOptions): Promise<Accelerator> {
  const device = options.device ?? "/dev/kvm";
  const closed = await whyClosed(device);
  if (closed !== undefined) return emulated(closed);
  const { works, saw } = (await keptAnswer(options)) ?? (await probe(options));
  return works ? { kind: "kvm", cpuModel: "host", reason: saw } : emulated(saw);
}

function emulated(reason: string): Accelerator {
  return { kind: "tcg", cpuModel: emulatedCpu, reason };
}

async function whyClosed(device: string): Promise<string | undefined> {
  try {
    await access(device, constants.R_OK | constants.W_OK);
    return undefined;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    return code === "ENOENT"
      ? `This host has no ${device}, so machines are emulated.`
      : `${device} cannot be opened for reading and writing (is this user in the group kvm?), so machines are emulated.`;
  }
}

async function keptAnswer(options: ProbeOptions): Promise<Answer | undefined> {
  const text = await readIfThere(options.cacheFile);
  if (text === undefined) return undefined;
  const parsed = answerSchema.safeParse(jsonOrNull(text));
  if (!parsed.success) return undefined;
  const { data } = parsed;
  return data.bootId === bootId() && data.qemuVersion === options.qemu.version ? data : undefined;
}

async function probe(options: ProbeOptions): Promise<Answer> {
  const outcome = await bootOnce(options);
  const answer = { bootId: bootId(), qemuVersion: options.qemu.version, ...outcome };
  await writeDurably(options.cacheFile, `${JSON.stringify(answer)}\n`);
  return answer;
}

function bootOnce(options: ProbeOptions): Promise<{ works: boolean; saw: string }> {
  const { image, qemu, signal } = options;
  const startedAt = performance.now();
  const parameters = [
    ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"],
    ["-machine", "q35", "-accel", "kvm", "-cpu", "host", "-m", "192"],
    ["-kernel", image.kernelPath, "-initrd", image.initrdPath],
    ["-append", `${image.kernelArguments} millrace.probe=1`],
    ["-serial", "stdio"],
  ].flat();
  return new Promise((resolve, reject) => {
    const child = spawn(qemu.system, parameters, {
      stdio: ["ignore", "pipe", "pipe"],
      ...options.user,
    });
    let printed = "";
    let complaint = "";
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill("SIGKILL");
    }, probeMs);
    const abort = (): boolean => child.kill("SIGKILL");
    signal.addEventListener("abort", abort, { once: true });
    child.stdout.on("data", (bytes: Buffer) => {
      if (printed.length < saidBytesMax) printed += bytes.toString("latin1");
      if (printed.includes(firstLine)) child.kill("SIGKILL");
    });
    child.stderr.on("data", (bytes: Buffer) => {
      if (complaint.length < saidBytesMax) complaint += bytes.toString("latin1");
    });
    child.once("error", reject);
    child.once("close", () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      if (signal.aborted) reject(signal.reason);
      else resolve(verdict({ printed, complaint, late, ms: performance.now() - startedAt }));
    });
  });
}

function verdict(seen: {
  readonly printed: string;
  readonly complaint: string;
  readonly late: boolean;
  readonly ms: number;
}): { works: boolean; saw: string } {
  if (seen.printed.includes(firstLine)) {
    return { works: true, saw: `A probe machine booted with KVM in ${Math.round(seen.ms)} ms.` };
  }
  const why = seen.late
    ? `a probe machine with KVM did not boot within ${probeMs / 1000} s`
    : `a probe machine with KVM ended at once (${lastLine(seen.complaint)})`;
  return { works: false, saw: `/dev/kvm is there, but ${why}, so machines are emulated.` };
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1)?.slice(-300) || "it said nothing";
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
