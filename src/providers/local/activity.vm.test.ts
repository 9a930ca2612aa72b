/**
 * What real guests do, as it is seen: one that works, one that does not, and somebody who logs in; and
 * what is left of one that nobody used.
 */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

import { present } from "#kernel/assert.ts";
import type { Activity, Machine, Provider } from "#providers/provider.ts";

import {
  createTestSite,
  machineReady,
  testCall,
  testRead,
  until,
  type TestSite,
} from "./test-site.ts";

let site: TestSite;
let provider: Provider;
let busy: Machine;
let idle: Machine;

async function made(): Promise<Machine> {
  const spec = site.spec();
  await provider.create(testCall(), spec);
  return machineReady(provider, spec.id);
}

beforeAll(async () => {
  site = await createTestSite();
  provider = await site.open();
  busy = await made();
  idle = await made();
});

afterAll(async () => {
  await provider.close();
  await site.remove();
});

async function look({ id }: Machine): Promise<Activity> {
  const [activity] = await provider.activity(testRead, [id]);
  return present(activity, "what the machine does");
}

function used(from: Activity, to: Activity): number {
  return present(to.cpuSeconds, "CPU") - present(from.cpuSeconds, "CPU");
}

/** To be looked at is work for a guest too: its agent answers. */
const lookEveryMs = 2_000;

/** A guest that was just made has things to do after its boot. */
async function atRest(machine: Machine): Promise<void> {
  let last = await look(machine);
  const rests = async (): Promise<true | undefined> => {
    const now = await look(machine);
    const share = (1_000 * used(last, now)) / Math.max(1, now.at - last.at);
    last = now;
    return share < 0.5 ? true : undefined;
  };
  await until("the guest rests", rests, lookEveryMs);
}

test("M-VM-04: a guest that works differs from one that does not, and who is logged in is seen", async () => {
  // In the background of the guest, with nobody logged in.
  await site.ssh(busy, "(while :; do :; done) > /dev/null 2>&1 < /dev/null &");
  await until("nobody is logged in", async () =>
    (await look(busy)).sessions === 0 ? true : undefined,
  );
  await atRest(idle);
  const before = { busy: await look(busy), idle: await look(idle) };
  expect(before.idle).toMatchObject({ sessions: 0, gpuShare: null });
  // Until the one has worked for two seconds of its CPU; the other was left alone for as long.
  const working = async (): Promise<Activity | undefined> => {
    const now = await look(busy);
    return used(before.busy, now) >= 2 ? now : undefined;
  };
  const worked = await until("the busy guest has worked", working, lookEveryMs);
  const rested = await look(idle);
  expect(used(before.busy, worked)).toBeGreaterThan(used(before.idle, rested));

  // It would take the CPU from all that follows.
  await provider.power(testCall(), busy.id, { to: "stop" });

  const { host, port } = present(idle.endpoints[0], "endpoint");
  const options = ["-F", "none", "-i", join(site.directory, "key"), "-p", `${port}`];
  for (const option of ["BatchMode=yes", "StrictHostKeyChecking=no", "LogLevel=ERROR"]) {
    options.push("-o", option);
  }
  options.push("-o", "UserKnownHostsFile=/dev/null");
  const session = spawn("ssh", [...options, `root@${host}`, "cat"], { stdio: "pipe" });
  try {
    const seen = await until("the session is seen", async () => {
      const now = await look(idle);
      return now.sessions === 1 ? now : undefined;
    });
    expect(seen.networkBytes).toBeGreaterThan(present(rested.networkBytes, "network"));
    expect(seen.seenBy.sessions).toBe("agent in the guest");
    // What programs have of it, without caches.
    expect(seen.memoryBytes).toBeGreaterThan(0);
    expect(seen.memoryBytes).toBeLessThan(idle.memoryBytes);
  } finally {
    session.stdin.end();
    if (session.exitCode === null) await once(session, "exit");
  }
  await until("the session is over", async () =>
    (await look(idle)).sessions === 0 ? true : undefined,
  );
});

function write(text: string): string {
  return `echo ${text} > /root/note && sync && cat /root/note`;
}

test("M-VM-04: a machine made of a kept snapshot has the disk as it was then, and a name of its own", async () => {
  const snapshot = { id: randomUUID(), name: "kept", withMemory: false };
  expect(await site.ssh(idle, write("precious"))).toBe("precious");
  await provider.snapshot(testCall(), idle.id, snapshot);
  expect(await site.ssh(idle, write("later"))).toBe("later");
  await provider.delete(testCall(), idle.id, snapshot.id);
  await until("the machine is gone", async () =>
    (await provider.machine(testRead, idle.id)) === undefined ? true : undefined,
  );
  const spec = site.spec({ name: "again", fromSnapshot: snapshot.id });
  await provider.create(testCall(), spec);
  const again = await machineReady(provider, spec.id);
  expect(await site.ssh(again, "cat /root/note; hostname")).toBe("precious\nagain");
  // It is a machine like any other, and what was kept stays as it was.
  await provider.delete(testCall(), again.id);
  await provider.dropKept(testCall(), idle.id, snapshot.id);
});
