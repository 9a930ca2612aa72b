/**
 * The general image on bare QEMU: SSH as its user with sudo, Python, and cloud-init by a seed disk.
 * It takes about a minute to build when it is not in the cache.
 */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

import { GuestClient } from "#providers/local/guest/client.ts";
import type { Personalized } from "#providers/local/guest/protocol.ts";

import { startBareMachine, type BareMachine } from "./bare-machine.ts";
import { ensureImage } from "./image.ts";
import { makeSeed } from "./seed.ts";

const run = promisify(execFile);
const gibibyte = 1024 ** 3;
const cacheDirectory =
  process.env["MILLRACE_IMAGE_CACHE"] ?? join(process.cwd(), ".cache", "images");

let scratch: string;
let machine: BareMachine;
let client: GuestClient;
let ready: Personalized;

async function ssh(command: string): Promise<string> {
  const options = ["BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null"];
  const place = ["-F", "none", "-i", join(scratch, "key"), "-p", String(machine.sshPort)];
  const named = [...options, "LogLevel=ERROR"].flatMap((option) => ["-o", option]);
  const { stdout } = await run("ssh", [...place, ...named, "debian@127.0.0.1", command]);
  return stdout;
}

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "millrace-test-"));
  await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(scratch, "key")]);
  const signal = AbortSignal.timeout(280_000);
  const image = await ensureImage({ name: "debian-12", cacheDirectory, report: () => {}, signal });
  const userData = "#cloud-config\nruncmd:\n  - [sh, -c, 'echo it ran > /var/tmp/proof']\n";
  const seed = join(scratch, "seed.img");
  await makeSeed(seed, { instanceId: "i-1", hostname: "general", userData }, signal);
  machine = await startBareMachine({
    image,
    diskBytes: 4 * gibibyte,
    memoryMiB: 512,
    options: ["-drive", `if=virtio,format=raw,readonly=on,file=${seed}`],
    signal,
  });
  client = new GuestClient({ connect: machine.connectAgent });
  const key = (await readFile(join(scratch, "key.pub"), "utf8")).trim();
  ready = await client.personalize(
    { signal },
    {
      instanceId: "i-1",
      machineId: "1".repeat(32),
      hostname: "general",
      loginUser: "debian",
      authorizedKeys: [key],
      network: [{ address: "10.0.2.15/24", gateway: "10.0.2.2", dns: ["10.0.2.3"] }],
      diskBytes: 4 * gibibyte,
    },
  );
}, 300_000);

afterAll(async () => {
  client.close();
  await machine.stop();
  await rm(scratch, { recursive: true, force: true });
});

test("its user becomes root by sudo and finds Python and a whole disk", async () => {
  const answer = await ssh("sudo id -u; python3 -c 'print(6*7)'; df -k / | tail -1; hostname");
  const [uid, product, disk, hostname] = answer.split("\n");
  expect([uid, product, hostname]).toEqual(["0", "42", "general"]);
  expect(ready.growProblem).toBeUndefined();
  expect(Number(disk?.split(/\s+/)[1])).toBeGreaterThan(3.8 * 1024 * 1024);
});

test("systemd comes up without a failed unit", async () => {
  expect(
    await ssh(
      "sudo systemctl is-system-running --wait; sudo systemctl --failed --plain --no-legend",
    ),
  ).toBe("running\n");
});

test("cloud-init reads the seed disk and does what the user data says", async () => {
  expect(await ssh("cloud-init status --wait > /dev/null; cat /var/tmp/proof")).toBe("it ran\n");
});

test("goes down when the host asks for it", async () => {
  await client.shutdown({ signal: AbortSignal.timeout(10_000) });
  await expect(machine.ended).resolves.toBeUndefined();
});
