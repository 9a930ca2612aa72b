/**
 * A machine made of QEMU and an image alone, without the driver: for the probe, the measured floor
 * and the tests of images and agent. It lives in a directory of its own, which is removed with it.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";

import type { BuiltImage } from "./image.ts";
import { runProgram } from "./program.ts";

export interface BareMachineOptions {
  readonly image: BuiltImage;
  readonly diskBytes: number;
  readonly memoryMiB?: number;
  readonly kernelArguments?: string;
  /** More of QEMU's options. */
  readonly options?: readonly string[];
  readonly signal: AbortSignal;
}

export interface BareMachine {
  readonly directory: string;
  /** Port on loopback that leads to the guest's port 22. */
  readonly sshPort: number;
  /** When QEMU was spawned, on the clock of performance.now(). */
  readonly spawnedAt: number;
  readonly connectAgent: () => Promise<Socket>;
  /** Resolves when QEMU has ended. */
  readonly ended: Promise<void>;
  readonly stop: () => Promise<void>;
}

/** What an emulated CPU should be: without features that send guests on long ways. */
export const emulatedCpu = "qemu64,+rdrand,-svm";

export async function startBareMachine(options: BareMachineOptions): Promise<BareMachine> {
  const { image, signal } = options;
  const directory = await mkdtemp(join(tmpdir(), "millrace-bare-"));
  const disk = join(directory, "disk.qcow2");
  const overlay = ["-b", image.baseDiskPath, "-F", "qcow2", disk, String(options.diskBytes)];
  await runProgram("qemu-img", ["create", "-q", "-f", "qcow2", ...overlay], { signal });
  const sshPort = await freePort();
  const spawnedAt = performance.now();
  const child = spawn("qemu-system-x86_64", parameters(options, directory, sshPort), {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const ended = once(child, "exit").then(() => {});
  ended.catch(() => {});
  return {
    directory,
    sshPort,
    spawnedAt,
    ended,
    connectAgent: () => connectTo(join(directory, "agent.sock")),
    stop: () => stop(child, ended, directory),
  };
}

function parameters(options: BareMachineOptions, directory: string, sshPort: number): string[] {
  const { image } = options;
  return [
    ["-nodefaults", "-no-user-config", "-display", "none", "-machine", "q35"],
    ["-accel", "tcg", "-cpu", emulatedCpu, "-m", String(options.memoryMiB ?? 256)],
    ["-kernel", image.kernelPath, "-initrd", image.initrdPath],
    ["-append", `${image.kernelArguments} ${options.kernelArguments ?? ""}`],
    ["-drive", `if=none,id=disk,format=qcow2,discard=unmap,file=${join(directory, "disk.qcow2")}`],
    ["-device", "virtio-blk-pci,drive=disk"],
    ["-netdev", `user,id=net,hostfwd=tcp:127.0.0.1:${sshPort}-:22`],
    ["-device", "virtio-net-pci,netdev=net,romfile="],
    ["-device", "virtio-serial-pci"],
    ["-chardev", `socket,id=agent,server=on,wait=off,path=${join(directory, "agent.sock")}`],
    ["-device", "virtserialport,chardev=agent,name=millrace.agent.0"],
    ["-serial", `file:${join(directory, "serial.log")}`],
    options.options ?? [],
  ].flat();
}

async function stop(child: ChildProcess, ended: Promise<void>, directory: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
  await ended;
  await rm(directory, { recursive: true, force: true, maxRetries: 3 });
}

function connectTo(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}
