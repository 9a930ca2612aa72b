/**
 * Whether KVM works here. That /dev/kvm is there, opens, and even makes virtual CPUs says too
 * little: some hosts offer a KVM in which every guest hangs. So a probe machine boots our kernel up
 * to the first line of its first program; only if that line comes in time do machines use KVM, and
 * otherwise they are emulated. The answer is kept for this boot of the host, this QEMU and this user.
 *
 * What must stay true: the probe machine runs as the user that machines run as, and what that user
 * may not open is no KVM, whatever we ourselves may.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, chmod, constants, mkdtemp, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { performance } from "node:perf_hooks";
import { z } from "zod";

import type { Accelerator } from "./driver.ts";
import { errorCode, readIfThere, writeDurably } from "./files.ts";
import { linkInto } from "./instance.ts";
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
const openMs = 2_000;
const saidBytesMax = 64 * 1024;

/** Without features that send emulated guests on long ways. */
const emulatedCpu = "qemu64,+rdrand,-svm";

const answerSchema = z.object({
  bootId: z.string(),
  qemuVersion: z.string(),
  /** Who asked. */
  user: z.string(),
  works: z.boolean(),
  saw: z.string(),
});
type Answer = z.infer<typeof answerSchema>;

export async function probeAccelerator(options: ProbeOptions): Promise<Accelerator> {
  const device = options.device ?? "/dev/kvm";
  const closed = await whyClosed(device, options.user);
  if (closed !== undefined) return emulated(closed);
  const { works, saw } = (await keptAnswer(options)) ?? (await probe(options));
  return works ? { kind: "kvm", cpuModel: "host", reason: saw } : emulated(saw);
}

function emulated(reason: string): Accelerator {
  return { kind: "tcg", cpuModel: emulatedCpu, reason };
}

/** Opened, not only looked at: mode bits do not tell what access lists and containers forbid. */
async function whyClosed(device: string, user: ProbeOptions["user"]): Promise<string | undefined> {
  try {
    await access(device, constants.R_OK | constants.W_OK);
  } catch (error) {
    return errorCode(error) === "ENOENT"
      ? `This host has no ${device}, so machines are emulated.`
      : `${device} cannot be opened for reading and writing (is this user in the group kvm?), so machines are emulated.`;
  }
  if (user === undefined || (await opensFor(device, user))) return undefined;
  const { mode, gid } = await stat(device);
  const bits = (mode & 0o777).toString(8).padStart(4, "0");
  return [
    `${device} is there, but machines run under users of their own, who may not open it`,
    `(mode ${bits}, group ${gid}), so machines are emulated. To give them access:`,
    `groupadd -f kvm && chgrp kvm ${device} && chmod 0660 ${device}, then start again.`,
  ].join(" ");
}

async function opensFor(device: string, user: NonNullable<ProbeOptions["user"]>): Promise<boolean> {
  const script = 'exec 3<>"$1"';
  const child = spawn("/bin/sh", ["-c", script, "sh", device], {
    stdio: "ignore",
    timeout: openMs,
    killSignal: "SIGKILL",
    ...user,
  });
  await once(child, "exit");
  return child.exitCode === 0;
}

async function keptAnswer(options: ProbeOptions): Promise<Answer | undefined> {
  const text = await readIfThere(options.cacheFile);
  if (text === undefined) return undefined;
  const parsed = answerSchema.safeParse(jsonOrNull(text));
  if (!parsed.success) return undefined;
  const { data } = parsed;
  const same =
    data.bootId === bootId() &&
    data.qemuVersion === options.qemu.version &&
    data.user === nameOf(options.user);
  return same ? data : undefined;
}

async function probe(options: ProbeOptions): Promise<Answer> {
  const outcome = await bootAside(options);
  const { qemu, user } = options;
  const asked = { bootId: bootId(), qemuVersion: qemu.version, user: nameOf(user) };
  const answer = { ...asked, ...outcome };
  await writeDurably(options.cacheFile, `${JSON.stringify(answer)}\n`);
  return answer;
}

/** In a directory with links, as machines have one: the user may have no way to the image itself. */
async function bootAside(options: ProbeOptions): Promise<{ works: boolean; saw: string }> {
  const directory = await mkdtemp(join(dirname(options.cacheFile), "kvm-probe-"));
  try {
    await chmod(directory, 0o711);
    await linkInto(options.image.kernelPath, join(directory, "kernel"));
    await linkInto(options.image.initrdPath, join(directory, "initrd"));
    return await bootOnce(options, directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function bootOnce(
  options: ProbeOptions,
  directory: string,
): Promise<{ works: boolean; saw: string }> {
  const { image, qemu, signal } = options;
  const startedAt = performance.now();
  const parameters = [
    ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"],
    ["-machine", "q35", "-accel", "kvm", "-cpu", "host", "-m", "192"],
    ["-kernel", "kernel", "-initrd", "initrd"],
    ["-append", `${image.kernelArguments} millrace.probe=1`],
    ["-serial", "stdio"],
  ].flat();
  return new Promise((resolve, reject) => {
    const child = spawn(qemu.system, parameters, {
      stdio: ["ignore", "pipe", "pipe"],
      cwd: directory,
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

function nameOf(user: ProbeOptions["user"]): string {
  return user === undefined ? "ours" : `${user.uid}:${user.gid}`;
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
