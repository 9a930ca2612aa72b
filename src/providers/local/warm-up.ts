/**
 * What is done with a booted machine before it becomes a template: it is made a throwaway
 * instance, logged into a few times, so that the code and the files of a login are warm, and then
 * made to forget all of that.
 */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { fresh } from "./guests.ts";
import { openSession } from "./guest-session.ts";
import { errorCode } from "./files.ts";
import type { Site } from "./site.ts";
import type { WarmUp } from "./template.ts";

const run = promisify(execFile);
const logins = 3;
const loginMs = 60_000;

export function createWarmUp(site: Site): WarmUp {
  return async ({ directory, runDirectory, sshPort, image, signal }) => {
    const keys = await mkdtemp(join(tmpdir(), "millrace-warm-"));
    const session = await openSession({
      directory,
      socketName: `${runDirectory}/agent.sock`,
      signal,
    });
    try {
      await session.hello();
      const key = await makeKey(keys);
      await session.personalize({
        instanceId: "template",
        hostname: "template",
        loginUser: image.defaultUser,
        machineId: "0".repeat(32),
        authorizedKeys: key === undefined ? [] : [key],
        network: [
          { mac: "52:54:00:00:00:01", address: "10.0.2.15/24" },
          { mac: "56:54:00:00:00:01", address: "10.83.255.254/16" },
        ],
        ...fresh(site),
      });
      if (key !== undefined) await logIn(keys, `${image.defaultUser}@127.0.0.1`, sshPort, signal);
      await session.seal();
      await session.sync();
    } finally {
      session.close();
      await rm(keys, { recursive: true, force: true });
    }
  };
}

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
  for (let login = 0; login < logins; login += 1) {
    await run("ssh", [...parameters, target, "true"], { signal, timeout: loginMs });
  }
}
