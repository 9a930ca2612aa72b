import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { newAuthority } from "#test/kube/api/certificate.ts";
import { type KubeServer, startKube } from "#test/kube/server.ts";

import { KubeClient } from "./client.ts";
import type { Cluster } from "./cluster.ts";
import { TokenFile } from "./credentials.ts";
import { CredentialError } from "./errors.ts";
import { ExecCredentials } from "./exec-plugin.ts";
import { inCluster } from "./in-cluster.ts";
import { kubeconfig } from "./kubeconfig.ts";

let server: KubeServer;
let folder: string;
const call = { signal: new AbortController().signal };
const environment = { PATH: process.env["PATH"] };

beforeEach(async () => {
  server = await startKube({ secure: true });
  folder = await mkdtemp(join(tmpdir(), "millrace-kubeconfig-"));
});

afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

function base64(text: string | undefined): string {
  return Buffer.from(text ?? "").toString("base64");
}

interface Written {
  readonly user: object;
  readonly cluster?: object;
  readonly context?: object;
}

async function write({ user, cluster = {}, context = {} }: Written): Promise<string> {
  const path = join(folder, "config");
  const authority = { "certificate-authority-data": base64(server.authority?.cert) };
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "here",
    clusters: [{ name: "c", cluster: { server: `${server.url}/`, ...authority, ...cluster } }],
    contexts: [
      { name: "here", context: { cluster: "c", user: "u", ...context } },
      { name: "there", context: { cluster: "c", user: "nobody", namespace: "far" } },
    ],
    users: [
      { name: "u", user },
      { name: "nobody", user: {} },
    ],
  };
  await writeFile(path, JSON.stringify(config));
  return path;
}

/** The server's version, if the client gets in. */
async function version(cluster: Cluster): Promise<string> {
  const client = new KubeClient(cluster);
  try {
    return await client.version(call);
  } finally {
    client.close();
  }
}

test("a token from a kubeconfig gets in; another context's nobody does not", async () => {
  const path = await write({ user: { token: server.token }, context: { namespace: "team" } });
  const cluster = await kubeconfig({ path, environment });
  expect(cluster.namespace).toBe("team");
  expect(await version(cluster)).toBe("v1.36.2");
  const there = await kubeconfig({ path, context: "there", environment });
  expect(there.namespace).toBe("far");
  await expect(version(there)).rejects.toMatchObject({ code: 401 });
  await expect(kubeconfig({ path, context: "elsewhere", environment })).rejects.toThrow(
    'has no context "elsewhere"; it has: here, there',
  );
});

test("a client certificate gets in, from the file itself and from files beside it", async () => {
  const { cert, key } = server.authority?.issue("millrace", ["system:masters"]) ?? {
    cert: "",
    key: "",
  };
  const inline = { "client-certificate-data": base64(cert), "client-key-data": base64(key) };
  expect(
    await version(await kubeconfig({ path: await write({ user: inline }), environment })),
  ).toBe("v1.36.2");
  await writeFile(join(folder, "tls.crt"), cert);
  await writeFile(join(folder, "tls.key"), key);
  const files = { "client-certificate": "tls.crt", "client-key": "tls.key" };
  expect(await version(await kubeconfig({ path: await write({ user: files }), environment }))).toBe(
    "v1.36.2",
  );
  const half = await write({ user: { "client-certificate": "tls.crt" } });
  await expect(kubeconfig({ path: half, environment })).rejects.toThrow("without its key");
});

test("a token that somebody wrote anew into the kubeconfig is taken up; until then the answer is 401", async () => {
  const client = new KubeClient(
    await kubeconfig({ path: await write({ user: { token: server.token } }), environment }),
  );
  try {
    await client.version(call);
    server.faults.expireToken(server.token);
    await expect(client.version(call)).rejects.toMatchObject({ code: 401 });
    await writeFile(join(folder, "config"), "users: [");
    await expect(client.version(call)).rejects.toThrow("is no YAML");
    await write({ user: { token: server.issueToken() } });
    await client.version(call);
  } finally {
    client.close();
  }
});

test("a server that another authority vouches for is not trusted, unless nobody is to look", async () => {
  const foreign = { "certificate-authority-data": base64(newAuthority().cert) };
  const path = await write({ user: { token: server.token }, cluster: foreign });
  await expect(version(await kubeconfig({ path, environment }))).rejects.toMatchObject({
    name: "RefusedError",
    message: expect.stringContaining("is not trusted"),
  });
  const blind = { ...foreign, "insecure-skip-tls-verify": true };
  const open = await write({ user: { token: server.token }, cluster: blind });
  expect(await version(await kubeconfig({ path: open, environment }))).toBe("v1.36.2");
  const named = await write({
    user: { token: server.token },
    cluster: { "tls-server-name": "elsewhere.example" },
  });
  await expect(version(await kubeconfig({ path: named, environment }))).rejects.toMatchObject({
    name: "RefusedError",
  });
});

test.each([
  ["a password", { username: "a", password: "b" }, {}, "username and password"],
  ["a plug-in of old", { "auth-provider": { name: "gcp" } }, {}, "auth-provider"],
  ["a proxy", { token: "t" }, { "proxy-url": "http://proxy" }, "proxy-url"],
  [
    "an exec plug-in of another version",
    { exec: { apiVersion: "client.authentication.k8s.io/v1alpha1", command: "x" } },
    {},
    "v1alpha1",
  ],
  [
    "a plug-in that needs a terminal",
    {
      exec: {
        apiVersion: "client.authentication.k8s.io/v1",
        command: "x",
        interactiveMode: "Always",
      },
    },
    {},
    "terminal",
  ],
])("a kubeconfig with %s is refused with that word", async (_, user, cluster, word) => {
  const path = await write({ user, cluster });
  const refused = await kubeconfig({ path, environment }).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(CredentialError);
  expect(String(refused)).toContain(word);
});

test("a kubeconfig that is none says what is wrong with it", async () => {
  const path = join(folder, "broken");
  await writeFile(path, "clusters: [{name: c, cluster: {server: nowhere}}]");
  await expect(kubeconfig({ path, environment })).rejects.toThrow("clusters[0].cluster.server");
  await writeFile(path, "{");
  await expect(kubeconfig({ path, environment })).rejects.toThrow("no YAML");
  await expect(kubeconfig({ path: join(folder, "none"), environment })).rejects.toThrow(
    "cannot be read",
  );
});

/** A plug-in that gives the token in a file, notes each run, and ends when the file says so. */
async function plugin(): Promise<object> {
  const script = `#!/bin/sh
cd "$(dirname "$0")"
echo "$KUBERNETES_EXEC_INFO" >> runs
cat given
`;
  await writeFile(join(folder, "sign-in"), script);
  await chmod(join(folder, "sign-in"), 0o755);
  const apiVersion = "client.authentication.k8s.io/v1";
  return { exec: { apiVersion, command: "./sign-in", provideClusterInfo: true } };
}

async function give(token: string, endsAt?: number): Promise<void> {
  const ends = endsAt === undefined ? {} : { expirationTimestamp: new Date(endsAt).toISOString() };
  const credential = {
    apiVersion: "client.authentication.k8s.io/v1",
    kind: "ExecCredential",
    status: { token, ...ends },
  };
  await writeFile(join(folder, "given"), JSON.stringify(credential));
}

async function runs(): Promise<string[]> {
  return (await readFile(join(folder, "runs"), "utf8")).trim().split("\n");
}

test("an exec plug-in runs once for all that wait, and again when its token is turned down", async () => {
  const path = await write({ user: await plugin() });
  const cluster = await kubeconfig({ path, environment });
  await give(server.token);
  const client = new KubeClient(cluster);
  await Promise.all(Array.from({ length: 10 }, () => client.version(call)));
  expect(await runs()).toHaveLength(1);
  expect(JSON.parse((await runs())[0] ?? "")).toMatchObject({
    kind: "ExecCredential",
    spec: { interactive: false, cluster: { server: `${server.url}/` } },
  });

  server.faults.expireToken(server.token);
  await give(server.issueToken());
  expect(await client.version(call)).toBe("v1.36.2");
  expect(await runs()).toHaveLength(2);
  client.close();
});

test("what an exec plug-in gave is used until shortly before it ends", async () => {
  await plugin();
  let now = Date.parse("2026-11-21T12:00:00Z");
  const credentials = new ExecCredentials(
    {
      apiVersion: "client.authentication.k8s.io/v1",
      command: join(folder, "sign-in"),
      args: [],
      env: {},
    },
    environment,
    () => now,
  );
  await give("first", now + 60_000);
  expect(await credentials.current(call.signal)).toEqual({ token: "first" });
  await give("second", now + 120_000);
  now += 49_000;
  expect(await credentials.current(call.signal)).toEqual({ token: "first" });
  now += 2000;
  expect(await credentials.current(call.signal)).toEqual({ token: "second" });
});

test("a token's file is read again as it grows old, and when its token is turned down", async () => {
  const path = join(folder, "token");
  let now = 0;
  const file = new TokenFile(path, () => now);
  await expect(file.current()).rejects.toThrow("cannot be read");
  await writeFile(path, "one\n");
  expect(await file.current()).toEqual({ token: "one" });
  await writeFile(path, "two\n");
  now += 29_000;
  expect(await file.current()).toEqual({ token: "one" });
  now += 2000;
  const two = await file.current();
  expect(two).toEqual({ token: "two" });
  await writeFile(path, "three\n");
  expect(file.renew(two)).toBe(true);
  expect(await file.current()).toEqual({ token: "three" });
});

test("within a cluster the service account signs in, and its rotated token is taken up", async () => {
  await writeFile(join(folder, "token"), server.token);
  await writeFile(join(folder, "ca.crt"), server.authority?.cert ?? "");
  await writeFile(join(folder, "namespace"), "millrace\n");
  const { hostname: host, port } = new URL(server.url);
  const cluster = await inCluster({ host, port, folder });
  expect(cluster).toMatchObject({ namespace: "millrace", server: server.url });
  const client = new KubeClient(cluster);
  await client.list(call, kinds.node);
  server.faults.expireToken(server.token);
  await writeFile(join(folder, "token"), server.issueToken());
  await client.list(call, kinds.node);
  client.close();
  await expect(inCluster({ host: undefined, port, folder })).rejects.toThrow(
    "does not run in a cluster",
  );
});
