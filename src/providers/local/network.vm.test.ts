/** Networks: what a guest reaches, and above all what it does not. */
import { createServer, type Server } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";

import { present } from "#kernel/assert.ts";
import type { Machine, Provider } from "#providers/provider.ts";

import { createTestSite, machineReady, testCall, type TestSite } from "./test-site.ts";

let site: TestSite;
let provider: Provider;
let mine: Machine;
let neighbor: Machine;
let stranger: Machine;

beforeAll(async () => {
  site = await createTestSite();
  provider = await site.open();
  const specs = ["a", "a", "b"].map((network) => site.spec({ network }));
  for (const spec of specs) await provider.create(testCall(), spec);
  const machines: Machine[] = [];
  for (const spec of specs) machines.push(await machineReady(provider, spec.id));
  [mine, neighbor, stranger] = [
    present(machines[0], "machine"),
    present(machines[1], "machine"),
    present(machines[2], "machine"),
  ];
});

afterAll(async () => {
  await provider.close();
  await site.remove();
});

async function addressOf(machine: Machine): Promise<string> {
  const shown = await site.ssh(machine, "ip -4 addr show dev eth1");
  return present(/inet ([\d.]+)/.exec(shown)?.[1], "address");
}

async function answers(from: Machine, address: string): Promise<boolean> {
  const said = await site.ssh(from, `ping -c 1 -w 5 ${address} >/dev/null && echo yes || echo no`);
  return said === "yes";
}

test("machines of one network reach each other, of two never", async () => {
  const [near, far] = [await addressOf(neighbor), await addressOf(stranger)];
  expect(await answers(mine, near)).toBe(true);
  // Both networks count from the same address: the stranger's is given to it under another one.
  await site.ssh(stranger, "ip addr add 10.83.200.200/16 dev eth1");
  expect(far).toBe(await addressOf(mine));
  expect(await answers(stranger, "10.83.200.200")).toBe(true);
  expect(await answers(mine, "10.83.200.200")).toBe(false);
  // Nor does anything that is sent to everybody arrive.
  const before = await received(stranger);
  await site.ssh(mine, "ping -b -c 3 -w 3 10.83.255.255 >/dev/null 2>&1; true");
  expect(await received(stranger)).toBe(before);
});

test("no guest reaches a service on the host's loopback, nor anything else outside", async () => {
  const server = createServer((socket) => socket.end("reached\n"));
  const port = await listening(server);
  try {
    for (const address of ["10.0.2.2", "10.0.2.3", "127.0.0.1", "10.83.0.1"]) {
      const said = await site.ssh(mine, `echo | timeout 4 nc ${address} ${port} 2>&1; true`);
      expect(`${address}: ${said}`).not.toContain("reached");
    }
    const routes = await site.ssh(mine, "ip route");
    expect(routes).not.toContain("default");
    // Even with a route that its owner adds.
    await site.ssh(mine, "ip route add default via 10.0.2.2");
    const said = await site.ssh(mine, `echo | timeout 4 nc 192.0.2.1 80 2>&1 && echo out; true`);
    expect(said).not.toContain("out\n");
  } finally {
    server.close();
  }
});

async function received(machine: Machine): Promise<string> {
  return site.ssh(machine, "cat /sys/class/net/eth1/statistics/rx_packets");
}

function listening(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen({ port: 0, host: "127.0.0.1" }, () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}
