/** The test server's watches: what happens after one is over does not end the server. */
import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { kinds } from "#providers/kubevirt/objects/kinds.ts";

import { Faults } from "./faults.ts";
import { Store } from "./store.ts";
import { serveWatch } from "./watches.ts";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

test("a watch whose time is up, or that was cut, is told nothing more until it has closed", () => {
  const store = new Store([kinds.configMap]);
  const faults = new Faults();
  const query = new URLSearchParams({
    resourceVersion: String(store.version),
    allowWatchBookmarks: "true",
    timeoutSeconds: "60",
  });
  // Without a connection: what has ended does not close.
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  const write = vi.spyOn(response, "write");
  const asked = { kind: kinds.configMap, namespace: undefined, query };
  serveWatch({ store, faults, bookmarkMs: 1000 }, asked, response);
  const put = () =>
    store.put(kinds.configMap, {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "a", uid: "a", resourceVersion: "", generation: 1, creationTimestamp: "" },
    });
  put();
  expect(write).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(60_000);
  expect(response.writableEnded).toBe(true);
  const told = write.mock.calls.length;
  expect(told).toBeGreaterThan(60);
  put();
  vi.advanceTimersByTime(5_000);
  expect(write).toHaveBeenCalledTimes(told);
});
