/**
 * cloud-init user data on the general image, which is built first where the cache lacks it. Emulated,
 * cloud-init takes most of a minute.
 */
import { afterAll, beforeAll, expect, test } from "vitest";

import type { Machine, Provider } from "#providers/provider.ts";

import {
  createTestSite,
  gibibyte,
  machineReady,
  mebibyte,
  testCall,
  testImage,
  testRead,
  until,
  type TestSite,
} from "./test-site.ts";

const userData = `#cloud-config
write_files:
  - path: /etc/greeting
    content: "it's \\"here\\"\\n"
runcmd:
  - [sh, -c, "hostname >> /var/tmp/ran"]
`;

let site: TestSite;
let provider: Provider;
let machine: Machine;

beforeAll(async () => {
  site = await createTestSite();
  await testImage("debian-12");
  provider = await site.open();
  const spec = site.spec({
    image: "debian-12",
    name: "general",
    memoryBytes: 512 * mebibyte,
    diskBytes: 3 * gibibyte,
    userData,
  });
  await provider.create(testCall(), spec);
  machine = await machineReady(provider, spec.id);
}, 400_000);

afterAll(async () => {
  await provider.close();
  await site.remove();
});

/** What the user data did, once cloud-init is done with this boot. */
async function done(): Promise<string> {
  for (let tries = 0; tries < 4; tries += 1) {
    const said = await site.ssh(machine, "cloud-init status --wait > /dev/null; echo over");
    if (said === "over") break;
  }
  return site.ssh(machine, "cloud-init status; cat /etc/greeting /var/tmp/ran");
}

test("cloud-init writes the file and runs the command, after a boot of its own", async () => {
  expect(machine.start).toBe("cold");
  expect(await done()).toBe('status: done\nit\'s "here"\ngeneral');
});

test("a shutdown and start finds the same instance: what was done stays, and is done once", async () => {
  await provider.power(testCall(), machine.id, { to: "shutdown", graceSeconds: 60 });
  await until("machine off", async () => {
    const now = await provider.machine(testRead, machine.id);
    return now?.power.value === "stopped" ? now : undefined;
  });
  await provider.power(testCall(), machine.id, { to: "start" });
  machine = await machineReady(provider, machine.id);
  expect(await done()).toBe('status: done\nit\'s "here"\ngeneral');
});

test("a snapshot with memory can be gone back to beside the seed disk", async () => {
  const snapshot = { id: "s", name: "s", withMemory: true };
  await provider.snapshot(testCall(), machine.id, snapshot);
  await site.ssh(machine, "rm /etc/greeting; sync");
  await provider.revert(testCall(), machine.id, "s");
  machine = await machineReady(provider, machine.id);
  expect(await site.ssh(machine, "cat /etc/greeting")).toBe('it\'s "here"');
});

test("an image without cloud-init refuses user data and names one that has it", async () => {
  await expect(provider.create(testCall(), site.spec({ userData }))).rejects.toMatchObject({
    code: "refused",
    message: expect.stringContaining("debian-12"),
  });
  expect((await provider.machines(testRead)).items.map((each) => each.id)).toEqual([machine.id]);
});
