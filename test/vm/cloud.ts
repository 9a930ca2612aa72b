/** A whole cloud with real machines for tests: the program as `npm start` puts it together. */
import { execFile } from "node:child_process";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

import { afterAll, expect, vi } from "vitest";

import { startApp, type App } from "#app/app.ts";
import { createClient, type Client } from "#client/client.ts";
import type { AnswerOf } from "#client/types.ts";
import { readConfig } from "#config/config.ts";
import { present } from "#kernel/assert.ts";
import { createObserver } from "#observe/observer.ts";

const run = promisify(execFile);
const repositoryRoot = resolve(import.meta.dirname, "../..");
const imagesTimeoutMs = 500_000;

export type Lease = AnswerOf<"getLease">;
type Operation = AnswerOf<"getOperation">;

export interface TestCloud {
  readonly dataDirectory: string;
  readonly operatorKey: string;
  app(): App;
  /** Ends the program as SIGTERM does, and starts it again on the same data, or what became of it. */
  restart(meanwhile?: () => Promise<void>): Promise<void>;
  client(credential: string, tenant?: string): Client;
}

/** The images are shared by all tests; the driver's accounts must be able to reach them. */
export const imageCache =
  process.env["MILLRACE_IMAGE_CACHE"] ?? join(repositoryRoot, ".cache/images");

export async function startCloud(...flags: readonly string[]): Promise<TestCloud> {
  const directory = await mkdtemp(join(tmpdir(), "millrace-test-"));
  await chmod(directory, 0o711);
  const dataDirectory = join(directory, "data");
  const start = (): Promise<App> =>
    startApp({
      config: readConfig(
        ["--port", "0", "--image-cache", imageCache, "--local-cpus", "8", ...flags],
        {},
      ),
      dataDirectory,
      repositoryRoot,
      observer: createObserver({ level: process.env["TEST_LOG"] ?? "silent" }),
    });
  let app = await start();
  const operatorKey = present(app.operator, "the operator's credential").secret;
  const cloud: TestCloud = {
    dataDirectory,
    operatorKey,
    app: () => app,
    restart: async (meanwhile) => {
      await app.close();
      await meanwhile?.();
      app = await start();
    },
    client: (credential, tenant) =>
      createClient({
        baseUrl: app.url ?? "",
        credential,
        ...(tenant === undefined ? {} : { tenant }),
      }),
  };
  afterAll(async () => {
    await releaseAll(cloud);
    await app.close();
    await rm(directory, { recursive: true, force: true });
  });
  await vi.waitFor(
    async () => {
      const { items } = await cloud.client(operatorKey).call("listImages");
      expect(items).toContainEqual(expect.objectContaining({ name: "tiny", state: "ready" }));
    },
    { timeout: imagesTimeoutMs, interval: 200 },
  );
  return cloud;
}

/** Machines outlive the program, so a test takes its own away. */
async function releaseAll(cloud: TestCloud): Promise<void> {
  const operator = cloud.client(cloud.operatorKey);
  for await (const tenant of operator.items("listTenants")) {
    const client = cloud.client(cloud.operatorKey, tenant.id);
    for await (const lease of client.items("listLeases")) {
      if (lease.releasedAt !== null) continue;
      const key = { params: { leaseId: lease.id } };
      const answer = await client.call("releaseLease", key).catch(() => undefined);
      if (answer !== undefined) await ended(client, answer.operation);
    }
  }
}

export interface TestCustomer {
  readonly tenantId: string;
  readonly credential: string;
  readonly identityFile: string;
  client(): Client;
}

/** A tenant with money and an SSH key. */
export async function addCustomer(cloud: TestCloud, name: string): Promise<TestCustomer> {
  const { tenant, administrator } = await cloud
    .client(cloud.operatorKey)
    .call("createTenant", { body: { name } });
  await cloud
    .client(cloud.operatorKey, tenant.id)
    .call("createTopUp", { body: { amount: "1000", reference: `test ${name}` } });
  const identityFile = join(cloud.dataDirectory, `id-${name}`);
  await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", identityFile]);
  const client = (): Client => cloud.client(administrator.secret);
  const publicKey = (await readFile(`${identityFile}.pub`, "utf8")).trim();
  await client().call("createSshKey", { body: { name: "test", publicKey } });
  return { tenantId: tenant.id, credential: administrator.secret, identityFile, client };
}

export async function ended(client: Client, operation: Operation): Promise<Operation> {
  let current = operation;
  for (let waits = 0; waits < 20 && current.state === "running"; waits += 1) {
    current = await client.call("getOperation", {
      params: { operationId: operation.id },
      query: { waitSeconds: 15 },
    });
  }
  return current;
}

export async function succeeded(client: Client, operation: Operation): Promise<void> {
  expect(await ended(client, operation)).toMatchObject({ state: "succeeded" });
}

export async function rent(
  client: Client,
  body: { name: string; flavor?: string; restart?: "never" | "on-failure" },
): Promise<Lease> {
  const { lease, operation } = await client.call("createLease", {
    body: { flavor: "nano", ...body },
  });
  await succeeded(client, operation);
  return client.call("getLease", { params: { leaseId: lease.id } });
}

/** What the command printed in the guest. */
export async function ssh(customer: TestCustomer, lease: Lease, command: string): Promise<string> {
  const endpoint = present(lease.endpoints[0], "the SSH endpoint");
  const { stdout } = await run(
    "ssh",
    [
      "-i",
      customer.identityFile,
      "-p",
      String(endpoint.port),
      "-o",
      "BatchMode=yes",
      "-o",
      "LogLevel=ERROR",
      "-o",
      "StrictHostKeyChecking=accept-new",
      "-o",
      `UserKnownHostsFile=${customer.identityFile}.${lease.id}`,
      `${endpoint.user}@${endpoint.host}`,
      command,
    ],
    { timeout: 60_000 },
  );
  return stdout;
}

/** The process id of a machine's QEMU, by its uuid on the command line. */
export async function qemuPid(instanceId: string): Promise<number | undefined> {
  const { stdout } = await run("pgrep", ["-f", `^qemu-system.*${instanceId}`]).catch(() => ({
    stdout: "",
  }));
  const [first] = stdout.trim().split("\n");
  return first === undefined || first === "" ? undefined : Number(first);
}
