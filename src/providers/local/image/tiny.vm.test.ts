/** The tiny image on bare QEMU: boots, becomes an instance, takes SSH, runs a workload. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { present } from "#kernel/assert.ts";
import { GuestClient } from "#providers/local/guest/client.ts";
import type { GuestEvent, Identity, Personalized } from "#providers/local/guest/protocol.ts";
import { receiveResults, sendInputs } from "#providers/local/guest/transfer.ts";

import { startBareMachine, type BareMachine } from "./bare-machine.ts";
import { ensureImage, type BuiltImage } from "./image.ts";

const run = promisify(execFile);
const gibibyte = 1024 ** 3;
const cacheDirectory =
  process.env["MILLRACE_IMAGE_CACHE"] ?? join(process.cwd(), ".cache", "images");
const call = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(60_000) });

let scratch: string;
let image: BuiltImage;
let machine: BareMachine;
let client: GuestClient;
let publicKey: string;
let first: Personalized;
const events: GuestEvent[] = [];

function identity(instanceId: string): Identity {
  return {
    instanceId,
    machineId: instanceId.padEnd(32, "0"),
    hostname: `host-${instanceId}`,
    loginUser: "root",
    authorizedKeys: [publicKey],
    network: [{ address: "10.0.2.15/24", gateway: "10.0.2.2", dns: ["10.0.2.3"] }],
    diskBytes: 2 * gibibyte,
  };
}

async function ssh(hostKey: string, command: string): Promise<string> {
  const known = join(scratch, "known_hosts");
  await writeFile(known, `[127.0.0.1]:${machine.sshPort} ${hostKey}\n`);
  const options = ["BatchMode=yes", "StrictHostKeyChecking=yes", `UserKnownHostsFile=${known}`];
  const { stdout } = await run("ssh", [
    "-F",
    "none",
    "-i",
    join(scratch, "key"),
    "-p",
    String(machine.sshPort),
    ...options.flatMap((option) => ["-o", option]),
    "root@127.0.0.1",
    command,
  ]);
  return stdout;
}

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "millrace-test-"));
  await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(scratch, "key")]);
  publicKey = (await readFile(join(scratch, "key.pub"), "utf8")).trim();
  const signal = AbortSignal.timeout(200_000);
  image = await ensureImage({ name: "tiny", cacheDirectory, report: () => {}, signal });
  machine = await startBareMachine({ image, diskBytes: 2 * gibibyte, signal });
  client = new GuestClient({
    connect: machine.connectAgent,
    onEvent: (event) => events.push(event),
    listen: true,
  });
  first = await client.personalize(call(), identity("a1"));
});

afterAll(async () => {
  client.close();
  await machine.stop();
  await rm(scratch, { recursive: true, force: true });
});

describe("the tiny image", () => {
  test("takes an SSH login with the key it was given, under the host key it reported", async () => {
    const hostKey = present(first.hostKeys[0], "host key");
    const answer = await ssh(hostKey, "hostname; uname -s; cat /etc/machine-id; df -k / | tail -1");
    const [hostname, system, machineId, disk] = answer.split("\n");
    expect([hostname, system, machineId]).toEqual(["host-a1", "Linux", "a1".padEnd(32, "0")]);
    expect(first.growProblem).toBeUndefined();
    expect(Number(disk?.split(/\s+/)[1])).toBeGreaterThan(1.9 * 1024 * 1024);
  });

  test("keeps its host key when it is told who it is again, and renews it for another", async () => {
    const again = await client.personalize(call(), identity("a1"));
    expect(again.hostKeys).toEqual(first.hostKeys);
    const other = await client.personalize(call(), identity("b2"));
    expect(other.hostKeys).not.toEqual(first.hostKeys);
    expect(await ssh(present(other.hostKeys[0], "host key"), "hostname")).toBe("host-b2\n");
  });

  test("sets the clock to the host's and takes fresh randomness", async () => {
    await ssh(
      present((await client.personalize(call(), identity("b2"))).hostKeys[0], "key"),
      "date -s 2001-01-01",
    );
    await client.refresh(call());
    const hostKey = present((await client.personalize(call(), identity("b2"))).hostKeys[0], "key");
    const guestSeconds = Number(await ssh(hostKey, "date +%s"));
    expect(Math.abs(guestSeconds - Date.now() / 1000)).toBeLessThan(30);
  });
});

describe("a workload", () => {
  test("runs as a user without rights; log, results and exit code come back whole", async () => {
    const script = "id -un; pwd; cat input.txt; echo result > results/out.txt; exit 7\n";
    const inputs = await tarOf({ "run.sh": script, "input.txt": "first\x1bsecond\n" });
    const inputsBytes = await sendInputs(client, call(), { workloadId: "w1", path: inputs });
    const plan = { ...limits, workloadId: "w1", command: ["/bin/sh", "run.sh"], inputsBytes };
    await client.workloadStart(call(), plan);
    const status = await ended();
    expect(status).toMatchObject({ end: "exited", exitCode: 7, canceled: false });
    expect(await wholeLog(7)).toBe("job\n/work\nfirst\x1bsecond\n");
    expect(await resultNames()).toContain("./out.txt");
    expect(events.some((event) => event.event === "workload")).toBe(true);
    await client.workloadAcknowledge(call(), "w1");
    expect(await client.workloadStatus(call())).toEqual({ state: "none" });
  });

  test("starting it twice starts it once", async () => {
    const command = ["/bin/sh", "-c", "echo started >> results/count; sleep 0.3"];
    const plan = { ...limits, workloadId: "w2", command, inputsBytes: 0 };
    await client.workloadStart(call(), plan);
    await client.workloadStart(call(), plan);
    await ended();
    await client.workloadStart(call(), plan);
    expect((await results()).toString()).toMatch(/started\n(?!started)/);
    await client.workloadAcknowledge(call(), "w2");
  });

  test.each([
    ["a signal", ["/bin/sh", "-c", "kill -KILL $$"], { end: "signaled", signal: "SIGKILL" }, 60],
    ["its time limit", ["/bin/sleep", "100"], { end: "timed_out" }, 1],
    ["a missing program", ["/no/such/program"], { end: "exited", exitCode: 127 }, 60],
  ])("ended by %s says so", async (_title, command, end, timeLimitSeconds) => {
    const plan = { ...limits, workloadId: "w3", command, timeLimitSeconds, inputsBytes: 0 };
    await client.workloadStart(call(), plan);
    expect(await ended()).toMatchObject(end);
    await client.workloadAcknowledge(call(), "w3");
  });

  test("that is canceled ends, with all that it started", async () => {
    const command = [
      "/bin/sh",
      "-c",
      "setsid sleep 1000 & trap '' TERM; echo up; sleep 1000; sleep 1000",
    ];
    await client.workloadStart(call(), { ...limits, workloadId: "w4", command, inputsBytes: 0 });
    await expect.poll(async () => (await log(0)).toString(), { timeout: 20_000 }).toBe("up\n");
    await client.workloadCancel(call());
    expect(await ended()).toMatchObject({ canceled: true });
    const hostKey = present((await client.personalize(call(), identity("b2"))).hostKeys[0], "key");
    expect(await ssh(hostKey, "ps | grep -c '[s]leep 1000' || true")).toBe("0\n");
    await client.workloadAcknowledge(call(), "w4");
  });

  test("that is interrupted saves its work first, with its checkpoint command", async () => {
    const command = ["/bin/sh", "-c", "echo up; while :; do sleep 0.1; done"];
    const checkpoint = ["/bin/sh", "-c", 'echo saving; echo 17 > "$MILLRACE_CHECKPOINT/step"'];
    const plan = { ...limits, workloadId: "i1", command, checkpoint, inputsBytes: 0 };
    await client.workloadStart(call(), plan);
    await expect.poll(async () => (await log(0)).toString(), { timeout: 20_000 }).toBe("up\n");
    await client.workloadInterrupt(call(), { graceMs: 60_000 });
    await client.workloadInterrupt(call(), { graceMs: 60_000 });
    expect(await ended()).toMatchObject({ end: "interrupted" });
    expect((await log(0)).toString()).toBe("up\nsaving\n");
    expect(await resultNames()).toContain("./checkpoint/step");
    await client.workloadAcknowledge(call(), "i1");
  });

  test("that is interrupted and has no such command gets SIGTERM at once", async () => {
    const command = [
      "/bin/sh",
      "-c",
      "trap 'mkdir -p $MILLRACE_CHECKPOINT; echo 3 > $MILLRACE_CHECKPOINT/step; exit 0' TERM; echo up; while :; do sleep 0.1; done",
    ];
    await client.workloadStart(call(), { ...limits, workloadId: "i2", command, inputsBytes: 0 });
    await expect.poll(async () => (await log(0)).toString(), { timeout: 20_000 }).toBe("up\n");
    await client.workloadInterrupt(call(), { graceMs: 60_000 });
    expect(await ended()).toMatchObject({ end: "interrupted" });
    expect(await resultNames()).toContain("./checkpoint/step");
    await client.workloadAcknowledge(call(), "i2");
  });

  test("whose interruption is taken back while it saves goes on to its own end", async () => {
    const command = [
      "/bin/sh",
      "-c",
      "echo up; until [ -e results/go ]; do sleep 0.1; done; exit 4",
    ];
    const checkpoint = ["/bin/sh", "-c", "echo saving; sleep 1000"];
    const plan = { ...limits, workloadId: "i3", command, checkpoint, inputsBytes: 0 };
    await client.workloadStart(call(), plan);
    await client.workloadInterrupt(call(), { graceMs: 60_000 });
    await expect
      .poll(async () => (await log(0)).toString(), { timeout: 20_000 })
      .toContain("saving");
    await client.workloadInterrupt(call(), {});
    const hostKey = present((await client.personalize(call(), identity("b2"))).hostKeys[0], "key");
    await expect
      .poll(() => ssh(hostKey, "ps | grep -c '[s]leep 1000' || true"), { timeout: 20_000 })
      .toBe("0\n");
    await ssh(hostKey, "touch /work/results/go");
    expect(await ended()).toMatchObject({ end: "exited", exitCode: 4 });
    await client.workloadAcknowledge(call(), "i3");
  });

  test("that writes more than its limits loses the rest, is told so, and goes on", async () => {
    const command = ["/bin/sh", "-c", "yes | head -c 3000; head -c 90000 /dev/zero > results/big"];
    const plan = { ...limits, logBytesMax: 1000, resultsBytesMax: 50_000 };
    await client.workloadStart(call(), { ...plan, workloadId: "w5", command, inputsBytes: 0 });
    expect(await ended()).toMatchObject({
      exitCode: 0,
      logBytes: 1000,
      droppedLogBytes: 2000,
      resultsProblem: "the results are larger than 50000 bytes",
    });
    await client.workloadAcknowledge(call(), "w5");
  });

  test("answers a reader whose connection breaks in the middle", async () => {
    const command = [
      "/bin/sh",
      "-c",
      "i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo line $i; done",
    ];
    await client.workloadStart(call(), { ...limits, workloadId: "w6", command, inputsBytes: 0 });
    await ended();
    client.close();
    let text = "";
    while (text.length < 2592) {
      const reader = new GuestClient({ connect: machine.connectAgent });
      const bytesMax = 500;
      text += (
        await reader.workloadLog(call(), { offset: text.length, bytesMax })
      ).bytes.toString();
      reader.close();
    }
    const lines = Array.from({ length: 300 }, (_, index) => `line ${index + 1}\n`);
    expect(text).toBe(lines.join(""));
    client = new GuestClient({ connect: machine.connectAgent });
    await client.workloadAcknowledge(call(), "w6");
  });
});

test("a reboot from inside keeps files, host key and address, without the host's help", async () => {
  const before = await client.personalize(call(), identity("b2"));
  const hostKey = present(before.hostKeys[0], "host key");
  await ssh(hostKey, "echo kept > /root/file");
  // The reboot cuts the connection that asked for it.
  await ssh(hostKey, "reboot").catch(() => "");
  try {
    await expect
      .poll(async () => bootedSince(before.bootId), { timeout: 300_000, interval: 200 })
      .toBe(true);
  } catch (cause) {
    const said = await readFile(join(machine.directory, "serial.log"), "utf8");
    throw new Error(`the guest did not come back; its console:\n${said.slice(-2_000)}`, { cause });
  }
  expect((await client.hello(call())).listening).toBe(true);
  expect(await ssh(hostKey, "cat /root/file")).toBe("kept\n");
});

/** A guest that goes down may take a question with it. */
async function bootedSince(bootId: string): Promise<boolean> {
  const soon = { signal: AbortSignal.timeout(10_000) };
  const answer = await client.hello(soon).catch(() => undefined);
  return answer !== undefined && answer.bootId !== bootId;
}

test("sealed, it forgets its identity; shut down, it ends", async () => {
  await client.seal(call());
  expect((await client.hello(call())).instanceId).toBeUndefined();
  expect((await client.hello(call())).listening).toBe(false);
  await client.shutdown(call());
  await machine.ended;
});

const limits = {
  environment: {},
  timeLimitSeconds: 60,
  logBytesMax: 100_000,
  resultsBytesMax: 1_000_000,
};

async function ended(): ReturnType<GuestClient["workloadStatus"]> {
  await expect
    .poll(async () => (await client.workloadStatus(call())).state, {
      timeout: 30_000,
      interval: 50,
    })
    .toBe("ended");
  return client.workloadStatus(call());
}

async function log(offset: number, bytesMax = 100_000): Promise<Buffer> {
  return (await client.workloadLog(call(), { offset, bytesMax })).bytes;
}

/** The log, read in pieces of a size that cuts through it. */
async function wholeLog(pieceBytes: number): Promise<string> {
  let text = "";
  for (;;) {
    const piece = await log(text.length, pieceBytes);
    if (piece.length === 0) return text;
    text += piece.toString("latin1");
  }
}

async function results(): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of receiveResults(client, call(), 0)) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function resultNames(): Promise<string[]> {
  const path = join(scratch, "results.tar");
  await writeFile(path, await results());
  return (await run("tar", ["-tf", path])).stdout.split("\n");
}

async function tarOf(files: Readonly<Record<string, string>>): Promise<string> {
  const directory = await mkdtemp(join(scratch, "inputs-"));
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  const path = `${directory}.tar`;
  await run("tar", ["-C", directory, "-cf", path, "."]);
  return path;
}
