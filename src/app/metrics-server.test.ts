import { Gauge } from "prom-client";
import { expect, test } from "vitest";

import { createObserver } from "#observe/observer.ts";

import { serveMetrics } from "./metrics-server.ts";

test("a process without an API tells its metrics and that it answers, and nothing else", async () => {
  const observer = createObserver({ level: "silent" });
  new Gauge({ name: "answers", help: "x", registers: [observer.metrics] }).set(42);
  const server = await serveMetrics(observer, { host: "127.0.0.1", port: 0 });
  const answer = await fetch(server.url);
  expect(answer.headers.get("content-type")).toContain("text/plain");
  expect(await answer.text()).toContain("answers 42");
  expect((await fetch(server.url.replace("/metrics", "/"))).status).toBe(404);
  expect((await fetch(server.url.replace("/metrics", "/healthz"))).status).toBe(200);
  expect((await fetch(server.url, { method: "POST" })).status).toBe(404);
  const port = Number(new URL(server.url).port);
  await expect(serveMetrics(observer, { host: "127.0.0.1", port })).rejects.toMatchObject({
    code: "conflict",
    message: expect.stringContaining("--metrics-port"),
  });
  await server.close();
  await expect(fetch(server.url)).rejects.toThrow("fetch failed");
});
