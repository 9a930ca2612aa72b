import type { Duplex } from "node:stream";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { type KubeServer, startKube } from "#test/kube/server.ts";

import { KubeClient } from "./client.ts";
import type { Credential } from "./credentials.ts";

const write = { manager: "test", validation: "none" } as const;
const machine = { namespace: "n", name: "m" };

async function reads(stream: Duplex, text: string): Promise<void> {
  let read = "";
  stream.on("data", (chunk: Buffer) => {
    read += chunk.toString();
  });
  await expect.poll(() => read).toContain(text);
}

describe.each([false, true])("streams, over TLS: %s", (secure) => {
  let server: KubeServer;
  let client: KubeClient;
  let leaving: AbortController;

  beforeEach(async () => {
    server = await startKube({ secure });
    client = new KubeClient(server.cluster());
    leaving = new AbortController();
    server.objects.create(kinds.namespace, undefined, { metadata: { name: "n" } }, write);
    server.objects.create(kinds.machineInstance, "n", { metadata: { name: "m" }, spec: {} }, write);
    phase("Running");
  });

  afterEach(async () => {
    leaving.abort();
    client.close();
    await server.close();
  });

  function phase(to: string): void {
    const status = { ...write, subresource: "status" } as const;
    server.objects.patch(kinds.machineInstance, machine, { status: { phase: to } }, status);
  }

  function open(what: string, by: KubeClient = client): Promise<Duplex> {
    return by.stream({ signal: leaving.signal }, kinds.machineInstanceAction, machine, what);
  }

  test("bytes go both ways: console, screen and ports", async () => {
    const console = await open("console");
    await reads(console, "m login: ");
    console.write("root\n");
    await reads(console, "root\n");
    const screen = await open("vnc");
    await reads(screen, "RFB 003.008\n");
    const port = await open("portforward/22/tcp");
    await reads(port, "SSH-2.0");
    for (const stream of [console, screen, port]) stream.destroy();
    await expect.poll(() => server.faults.connectionsOpen).toBe(0);
  });

  test("what cannot be opened says why", async () => {
    phase("Scheduling");
    await expect(open("console")).rejects.toMatchObject({ code: 409, message: /not running/ });
    await expect(
      client.stream(
        { signal: leaving.signal },
        kinds.machineInstanceAction,
        { namespace: "n", name: "none" },
        "vnc",
      ),
    ).rejects.toMatchObject({ code: 404, objectName: "none" });
  });

  test("an expired token is renewed for a stream too", async () => {
    let token = server.token;
    const credentials = {
      current: async (): Promise<Credential> => ({ token }),
      renew: () => {
        token = server.issueToken();
        return true;
      },
    };
    server.faults.expireToken(server.token);
    await expect(open("console")).rejects.toMatchObject({ code: 401 });
    const other = new KubeClient({ ...server.cluster(), credentials });
    const stream = await open("console", other);
    stream.destroy();
    other.close();
  });

  test("a stream ends when its caller leaves, and when the server goes", async () => {
    const first = (await open("console")).resume();
    const lost = new Promise((resolve) => {
      first.once("error", resolve);
    });
    server.faults.vanish();
    expect(await lost).toMatchObject({ name: "ConnectionError" });
    await expect(open("console")).rejects.toMatchObject({ name: "ConnectionError" });
    server.faults.comeBack();
    const second = (await open("console")).on("error", () => {}).resume();
    leaving.abort();
    await expect.poll(() => second.destroyed).toBe(true);
  });
});
