import { afterEach, beforeEach, expect, test } from "vitest";

import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { Refusal } from "#test/kube/api/refusal.ts";
import { type KubeServer, startKube } from "#test/kube/server.ts";

import { KubeClient } from "./client.ts";
import type { Credential } from "./credentials.ts";
import { ConnectionError, RefusedError, StatusError } from "./errors.ts";
import { clientLimits } from "./options.ts";

let server: KubeServer;
let client: KubeClient;
const call = { signal: new AbortController().signal };
const quick = { attemptsMax: 5, firstDelayMs: 1, delayMaxMs: 5, retryAfterMaxMs: 1000 };
const limits = { ...clientLimits, calls: { ...clientLimits.calls, retry: quick } };

beforeEach(async () => {
  server = await startKube();
  client = new KubeClient(server.cluster(), limits);
});

afterEach(async () => {
  client.close();
  await server.close();
});

function namespace(name: string) {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name } };
}

function sent(request: string): number {
  return server.requests.get(request) ?? 0;
}

test("429 is waited out as the server says, but not for a create", async () => {
  server.faults.throttle(2, 0);
  await client.apply(call, kinds.namespace, namespace("n"));
  expect(sent("PATCH namespaces")).toBe(3);

  server.faults.throttle(1, 1);
  await expect(client.create(call, kinds.namespace, namespace("m"))).rejects.toMatchObject({
    code: 429,
    reason: "TooManyRequests",
    retryAfterMs: 1000,
  });
  expect(sent("POST namespaces")).toBe(1);
});

test("a rest that is longer than ours is the caller's to take", async () => {
  server.faults.throttle(1, 60);
  await expect(client.get(call, kinds.namespace, { name: "n" })).rejects.toMatchObject({
    code: 429,
    retryAfterMs: 60_000,
  });
});

test("tries have an end", async () => {
  server.faults.throttle(100, 0);
  await expect(client.list(call, kinds.node)).rejects.toBeInstanceOf(StatusError);
  expect(sent("GET nodes")).toBe(quick.attemptsMax);
});

test("an apply whose answer was lost is sent again, and has one effect", async () => {
  server.faults.loseAnswers(1);
  const { object } = await client.apply(call, kinds.namespace, namespace("n"));
  expect(object.metadata.generation).toBe(1);
  expect(sent("PATCH namespaces")).toBe(2);
});

test("a create whose answer was lost is not sent again, and says that it may have happened", async () => {
  server.faults.loseAnswers(1);
  const lost = client.create(call, kinds.namespace, namespace("n"));
  await expect(lost).rejects.toMatchObject({ name: "ConnectionError", effect: "maybe" });
  expect(sent("POST namespaces")).toBe(1);
  expect(await client.get(call, kinds.namespace, { name: "n" })).toBeDefined();
});

test("a server that is not there has done nothing", async () => {
  const { url } = server;
  await server.close();
  const lost = await client
    .create(call, kinds.namespace, namespace("n"))
    .catch((error: unknown) => error);
  expect(lost).toBeInstanceOf(ConnectionError);
  expect(lost).toMatchObject({
    effect: "none",
    message: expect.stringContaining(url.slice("http://".length)),
  });
});

test("an action is sent once", async () => {
  server.faults.throttle(1, 0);
  const start = { name: { namespace: "n", name: "m" }, action: "start" };
  await expect(client.act(call, kinds.machineAction, start)).rejects.toMatchObject({ code: 429 });
  expect(sent("PUT virtualmachines.subresources.kubevirt.io")).toBe(1);
});

test("an expired token is renewed once, for any call; an old one that stays is 401", async () => {
  let token = server.token;
  let renewed = 0;
  const credentials = {
    current: async (): Promise<Credential> => ({ token }),
    renew: () => {
      renewed += 1;
      token = server.issueToken();
      return true;
    },
  };
  const other = new KubeClient({ ...server.cluster(), credentials }, limits);
  server.faults.expireToken(server.token);
  await other.create(call, kinds.namespace, namespace("n"));
  expect(renewed).toBe(1);
  other.close();
  await expect(client.get(call, kinds.namespace, { name: "n" })).rejects.toMatchObject({
    code: 401,
    reason: "Unauthorized",
  });
});

test("a 503 in front of the server, in words of its own, is tried again", async () => {
  server.faults.refuse(
    2,
    () => new Refusal({ code: 503, reason: "ServiceUnavailable", message: "no backend" }),
  );
  expect(await client.version(call)).toBe("v1.36.2");
  server.faults.refuse(1, () => new Refusal({ code: 500, reason: "InternalError", message: "x" }));
  await expect(client.version(call)).rejects.toMatchObject({ code: 500, reason: "InternalError" });
});

test("a huge object is refused before it is sent, a huge answer while it is read", async () => {
  const huge = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "c", namespace: "n" },
    data: { a: "x".repeat(2_000_000) },
  };
  await expect(client.apply(call, kinds.configMap, huge)).rejects.toBeInstanceOf(RefusedError);
  expect(sent("PATCH configmaps")).toBe(0);

  const small = { ...limits, calls: { ...limits.calls, answerBytesMax: 100 } };
  const other = new KubeClient(server.cluster(), small);
  await expect(
    other.create(call, kinds.namespace, namespace("a-name-that-is-told-again")),
  ).rejects.toBeInstanceOf(RefusedError);
  other.close();

  const wide = { ...limits, calls: { ...limits.calls, bodyBytesMax: 10_000_000 } };
  const third = new KubeClient(server.cluster(), wide);
  const larger = { ...huge, data: { a: "x".repeat(4_000_000) } };
  await expect(third.create(call, kinds.configMap, larger)).rejects.toMatchObject({ code: 413 });
  third.close();
});

test("calls beyond the bound wait for their turn, over sockets that are kept", async () => {
  const narrow = { ...limits, calls: { ...limits.calls, callsMax: 3 } };
  const other = new KubeClient(server.cluster(), narrow);
  const names = Array.from({ length: 40 }, (_, n) => `n${n}`);
  await Promise.all(names.map((name) => other.apply(call, kinds.namespace, namespace(name))));
  expect(server.faults.connectionsOpen).toBeLessThanOrEqual(3);
  expect((await other.list(call, kinds.namespace)).items).toHaveLength(40);
  other.close();
});

test("a call without an answer ends with its time, or when the caller leaves", async () => {
  server.faults.latencyMs = 60_000;
  const once = { ...quick, attemptsMax: 1 };
  const short = { ...limits, calls: { ...limits.calls, timeoutMs: 50, retry: once } };
  const other = new KubeClient(server.cluster(), short);
  await expect(other.version(call)).rejects.toMatchObject({
    effect: "maybe",
    message: expect.stringContaining("no answer within 50 ms"),
  });
  other.close();
  const leaving = new AbortController();
  const waits = client.version({ signal: leaving.signal });
  leaving.abort(new Error("left"));
  await expect(waits).rejects.toBeInstanceOf(ConnectionError);
});

test("who wants to hear is told what the server says beside, with each answer", async () => {
  const heard: string[] = [];
  const other = new KubeClient(server.cluster(), limits, (warning) => heard.push(warning));
  server.faults.warnings = ['v1 "Namespace" is old'];
  await other.list(call, kinds.namespace);
  await other.create(call, kinds.namespace, namespace("n"));
  expect(heard).toEqual(['v1 "Namespace" is old', 'v1 "Namespace" is old']);
  other.close();
});

test("an action that may happen twice is sent again where that helps, another is not", async () => {
  const name = { namespace: "n", name: "a" };
  const stop = { name, action: "stop" };
  server.faults.refuse(2, () => new Refusal({ code: 503, reason: "", message: "not now" }));
  await expect(client.act(call, kinds.machineAction, stop)).rejects.toMatchObject({ code: 503 });
  const again = client.act(call, kinds.machineAction, { ...stop, repeatable: true });
  await expect(again).rejects.toMatchObject({ code: 404 });
  expect(sent("PUT virtualmachines.subresources.kubevirt.io")).toBe(3);
});
