/**
 * A rehearsal of what every machine does first: it is made a throwaway instance, logged into, and
 * then made to forget all of that. In a template it warms the guest's caches, which clones share.
 * In a clone that waits in the pool it warms QEMU's own translations of the code, which they do
 * not share: without KVM that takes half a second off the start.
 */
import { execFile } from "node:child_process";
import type { Socket } from "node:net";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { errorCode } from "./files.ts";
import { GuestClient } from "./guest/client.ts";
import { accessAddress } from "./network.ts";
import { connectInside } from "./socket.ts";
import type { WarmUp } from "./template.ts";

const run = promisify(execFile);
const loginMs = 60_000;
const bootMs = 300_000;

export const warmUp: WarmUp = async ({
  directory,
  runDirectory,
  sshPort,
  image,
  logins,
  signal,
}) => {
  const keys = await mkdtemp(join(tmpdir(), "millrace-warm-"));
  const connect = (): Promise<Socket> => connectInside(directory, `${runDirectory}/agent.sock`);
  const client = new GuestClient({ connect });
  const call = { signal: AbortSignal.any([signal, AbortSignal.timeout(bootMs)]) };
  try {
    const key = await makeKey(keys);
    await client.personalize(call, {
      instanceId: "template",
      hostname: "template",
      loginUser: image.defaultUser,
      machineId: "0".repeat(32),
      authorizedKeys: key === undefined ? [] : [key],
      network: [{ address: accessAddress }, { address: "10.83.255.254/16" }],
    });
    const target = `${image.defaultUser}@127.0.0.1`;
    const times = key === undefined ? 0 : logins;
    for (let login = 0; login < times; login += 1) await logIn(keys, target, sshPort, signal);
    await client.seal(call);
    await client.sync(call);
  } finally {
    client.close();
    await rm(keys, { recursive: true, force: true });
  }
};

/** Undefined where there is no SSH client: the template is only a little less warm. */
async function makeKey(folder: string): Promise<string | undefined> {
  const path = join(folder, "key");
  try {
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "template", "-f", path]);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
  return (await readFile(`${path}.pub`, "utf8")).trim();
}

async function logIn(
  folder: string,
  target: string,
  port: number,
  signal: AbortSignal,
): Promise<void> {
  const options = ["BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null"];
  const parameters = ["-n", "-F", "none", "-i", join(folder, "key"), "-p", String(port)];
  for (const option of [...options, "LogLevel=ERROR", "IdentitiesOnly=yes"]) {
    parameters.push("-o", option);
  }
  await run("ssh", [...parameters, target, "true"], { signal, timeout: loginMs });
}
