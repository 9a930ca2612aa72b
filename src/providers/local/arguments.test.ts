import { expect, test } from "vitest";

import { qemuArguments, type Plan } from "./arguments.ts";

const gib = 1024 ** 3;
const plan: Plan = {
  name: "web",
  uuid: "00000000-0000-4000-8000-000000000001",
  runDirectory: "run.1",
  accelerator: "tcg",
  cpuModel: "qemu64",
  board: {
    cpu: { sockets: 1, cores: 2, threads: 1 },
    vcpus: 2,
    memoryBytes: gib,
    modules: [],
  },
  vcpusMax: 8,
  memoryBytesMax: 4 * gib,
  kernel: { append: "quiet" },
  sshPort: 2222,
  segment: { group: "239.1.2.3", port: 4000 },
  accessMac: "52:54:00:00:00:01",
  tenantMac: "56:54:00:00:00:01",
  video: false,
  paused: false,
  incoming: false,
};

function valuesOf(name: string, of: Plan): string[] {
  const line = qemuArguments(of);
  return line.flatMap((word, index) => (word === name ? [line[index + 1] ?? ""] : []));
}

test("nothing but the SSH forward listens on the network, and only on loopback", () => {
  const networks = valuesOf("-netdev", plan);
  const access = networks.find((each) => each.startsWith("user,"));
  expect(access).toContain("restrict=on");
  expect(access).toContain("hostfwd=tcp:127.0.0.1:2222-10.0.2.15:22");
  expect(networks.filter((each) => each.includes("hostfwd="))).toHaveLength(1);
  for (const channel of valuesOf("-chardev", plan))
    expect(channel).toMatch(/^socket,.*path=run\.1\//);
  expect(valuesOf("-vnc", { ...plan, video: true })).toEqual(["unix:run.1/vnc.sock"]);
});

test("the tenant's segment is wired to the loopback interface", () => {
  expect(valuesOf("-netdev", plan)).toContain(
    "socket,id=tenant-wire,mcast=239.1.2.3:4000,localaddr=127.0.0.1",
  );
  const alone = valuesOf("-netdev", { ...plan, segment: undefined });
  expect(alone.filter((each) => each.includes("mcast"))).toEqual([]);
});

test("QEMU runs in its sandbox, with no defaults and no configuration from elsewhere", () => {
  const line = qemuArguments(plan);
  expect(line).toContain("-nodefaults");
  expect(line).toContain("-no-user-config");
  expect(valuesOf("-sandbox", plan)[0]).toMatch(/^on,.*elevateprivileges=deny,spawn=deny/);
});

test("R-CPU: the guest gets its CPUs, and room to plug more sockets", () => {
  expect(valuesOf("-smp", plan)).toEqual(["2,sockets=4,cores=2,threads=1,maxcpus=8"]);
  const odd = {
    ...plan,
    board: { ...plan.board, cpu: { sockets: 1, cores: 3, threads: 2 }, vcpus: 6 },
  };
  expect(valuesOf("-smp", odd)).toEqual(["6,sockets=2,cores=3,threads=2,maxcpus=12"]);
});

test("memory that was plugged is there again when memory is loaded", () => {
  const grown = { ...plan, board: { ...plan.board, modules: [gib, gib / 2] } };
  expect(valuesOf("-m", grown)).toEqual(["size=1024M,slots=8,maxmem=4096M"]);
  expect(valuesOf("-device", grown)).toContain("pc-dimm,id=module1,memdev=module1-ram");
});

test("the disk with user data can only be read, and moves no other device", () => {
  const seeded = { ...plan, seed: true };
  expect(valuesOf("-blockdev", seeded).at(-1)).toMatch(/^driver=raw,node-name=seed,read-only=on,/);
  const others = valuesOf("-device", plan);
  expect(valuesOf("-device", seeded).slice(0, others.length)).toEqual(others);
});

test("file names are relative, so that no long path and no rights above are needed", () => {
  for (const word of qemuArguments({ ...plan, video: true, seed: true })) {
    expect(word).not.toMatch(/=\/(?!dev\/urandom)/);
  }
});
