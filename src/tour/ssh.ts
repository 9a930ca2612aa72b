/** A key of its own, and the system's ssh. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import type { AnswerOf } from "#client/types.ts";
import { Failure } from "#kernel/failure.ts";

const run = promisify(execFile);
const timeoutMs = 60_000;

export interface Identity {
  readonly file: string;
  readonly publicKey: string;
  remove(): Promise<void>;
}

export async function createIdentity(): Promise<Identity> {
  const directory = await mkdtemp(join(tmpdir(), "millrace-tour-key-"));
  const file = join(directory, "id");
  await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "tour", "-f", file]);
  return {
    file,
    publicKey: (await readFile(`${file}.pub`, "utf8")).trim(),
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

/** What the command printed. */
export async function ssh(
  identity: Identity,
  lease: AnswerOf<"getLease">,
  command: string,
): Promise<string> {
  const [endpoint] = lease.endpoints;
  if (endpoint === undefined) {
    throw new Failure("wrong_state", `The machine has no SSH address: it is ${lease.state}.`);
  }
  return login(identity, endpoint, command);
}

/** The same by address. */
export async function login(
  identity: Identity,
  endpoint: { readonly host: string; readonly port: number; readonly user: string },
  command: string,
): Promise<string> {
  const options = ["StrictHostKeyChecking=accept-new", "BatchMode=yes", "LogLevel=ERROR"].flatMap(
    (option) => ["-o", option],
  );
  const { stdout } = await run(
    "ssh",
    [
      "-i",
      identity.file,
      "-p",
      String(endpoint.port),
      ...options,
      "-o",
      // Another machine may have had this port before.
      "UserKnownHostsFile=/dev/null",
      `${endpoint.user}@${endpoint.host}`,
      command,
    ],
    { timeout: timeoutMs },
  );
  return stdout;
}
