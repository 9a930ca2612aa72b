/** Logs of jobs: live, resumed, and brought home by collectors that are killed or not alone. */
import { createHash } from "node:crypto";
import { appendFile } from "node:fs/promises";
import { afterAll, expect, test, vi } from "vitest";
import { z } from "zod";

import { createClient } from "#client/client.ts";
import type { Fetch } from "#client/send.ts";
import { listenForNudges } from "#db/listen.ts";
import { sql } from "#db/sql.ts";
import { siteCollector, type Collector } from "#flow/provision/collect.ts";
import { attemptLimits } from "#flow/provision/workload.ts";
import { startLoop } from "#loops/loop.ts";
import { fileAt } from "#storage/disk.ts";
import { findAttemptFile } from "#storage/files.ts";

import { jobCloud, whole, type JobCloud } from "./job-cloud.ts";
import { mortalDb, mortalProvider, type Life } from "./mortal.ts";

const cloud = await jobCloud();
await cloud.start({ collecting: "manual" });
const nudges = listenForNudges(cloud.db.url, cloud.observer);
afterAll(() => nudges.close());

const eventData = z.union([
  z.object({ text: z.string() }).transform(({ text }) => text),
  z.object({ base64: z.string() }).transform(({ base64 }) => atob(base64)),
]);

function collectorOf({ db, provider, root, observer }: JobCloud): Collector {
  return siteCollector({ db, provider, root, observer, limits: attemptLimits, now: Date.now });
}

/** Collectors that run until the end of the work. */
async function whileCollecting<T>(count: number, work: () => Promise<T>): Promise<T> {
  const collectors = Array.from({ length: count }, () => collectorOf(cloud));
  const context = { nudges, observer: cloud.observer, now: Date.now };
  const loops = collectors.map(({ loop }) => startLoop(loop, context));
  try {
    return await work();
  } finally {
    await Promise.all(loops.map((loop) => loop.stop()));
    await Promise.all(collectors.map((collector) => collector.close()));
  }
}

function numbered(count: number): string {
  return Array.from({ length: count }, (_, i) => `[simulated] line ${i + 1} of ${count}\n`).join(
    "",
  );
}

async function programEnded(jobId: string): Promise<string> {
  return vi.waitFor(
    async () => {
      const { attempts } = await cloud.job(jobId);
      const attempt = attempts.at(-1);
      expect(attempt?.end).not.toBeNull();
      return attempt?.instanceId ?? "";
    },
    { timeout: 30_000, interval: 10 },
  );
}

test("a log is followed live over dropped connections: nothing is lost, nothing comes twice", async () => {
  const job = await cloud.submit({
    script: "talk",
    environment: { SIMULATE_SECONDS: "1.5", SIMULATE_LINES: "60" },
  });
  let connections = 0;
  /** The first connections break after their first piece of the log. */
  const dropping: Fetch = async (url, init) => {
    const response = await fetch(url, init);
    if (!url.includes("/follow") || response.body === null) return response;
    connections += 1;
    if (connections > 4) return response;
    let pieces = 0;
    const cut = new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, controller) => {
        pieces += 1;
        if (pieces < 3) controller.enqueue(chunk);
        else controller.error(new Error("cable pulled"));
      },
    });
    return new Response(response.body.pipeThrough(cut), response);
  };
  const client = createClient({ baseUrl: cloud.url, credential: cloud.secret, fetch: dropping });
  await whileCollecting(1, async () => {
    let text = "";
    let firstAt = 0;
    for await (const event of client.events("followJobLog", { params: { jobId: job.id } })) {
      if (event.event === "end") continue;
      firstAt ||= Date.now();
      expect(event.id).toMatch(/^1:[0-9]+$/);
      text += eventData.parse(JSON.parse(event.data));
      expect(event.id).toBe(`1:${Buffer.byteLength(text)}`);
    }
    const done = await cloud.job(job.id);
    expect(done.state).toBe("succeeded");
    expect(firstAt).toBeLessThan(Date.parse(done.endedAt ?? ""));
    expect(text).toBe(await cloud.log(job.id));
    expect(text).toContain(numbered(60));
    expect(connections).toBeGreaterThan(2);
  });
});

test("following goes on with the next attempt when the platform lost one", async () => {
  const job = await cloud.submit({
    script: "talk",
    environment: { SIMULATE_SECONDS: "4", SIMULATE_LINES: "10" },
  });
  await whileCollecting(1, async () => {
    const ids: string[] = [];
    let text = "";
    let crashed = false;
    for await (const event of cloud.api.events("followJobLog", { params: { jobId: job.id } })) {
      if (event.event === "end") continue;
      ids.push(event.id);
      text += eventData.parse(JSON.parse(event.data));
      if (!crashed && text.includes("line 1 of 10\n")) {
        crashed = true;
        const { attempts } = await cloud.job(job.id);
        cloud.provider.platform.crash(attempts[0]?.instanceId ?? "");
      }
    }
    expect(ids[0]).toMatch(/^1:/);
    expect(ids.at(-1)).toMatch(/^2:/);
    expect(text).toBe((await cloud.log(job.id, 1)) + (await cloud.log(job.id, 2)));
    // One attempt alone ends with it.
    let first = "";
    const query = { attempt: 1 };
    const events = cloud.api.events("followJobLog", { params: { jobId: job.id }, query });
    for await (const event of events) {
      if (event.event !== "end") first += eventData.parse(JSON.parse(event.data));
    }
    expect(first).toBe(await cloud.log(job.id, 1));
  });
});

test("two collectors at once bring a log home once", async () => {
  const lines = 10_000;
  const job = await cloud.submit({
    script: "talk",
    environment: { SIMULATE_SECONDS: "1", SIMULATE_LINES: String(lines) },
  });
  await whileCollecting(3, async () => {
    const done = await cloud.ended(job.id);
    expect(done.state).toBe("succeeded");
    const log = await cloud.log(job.id);
    expect(log).toContain(numbered(lines));
    expect(log.match(/line 1 of/g)).toHaveLength(1);
    expect(done.attempts[0]?.logBytes).toBe(Buffer.byteLength(log));
  });
});

test("a collector killed at any of its steps loses nothing and repeats nothing", async () => {
  let survived = false;
  for (let steps = 1; !survived; steps += 1) {
    expect(steps).toBeLessThan(40);
    const job = await cloud.submit({
      script: "talk",
      environment: { SIMULATE_SECONDS: "0.05", SIMULATE_LINES: "500" },
    });
    const instanceId = await programEnded(job.id);
    const signal = AbortSignal.timeout(30_000);
    const range = { offset: 0, bytesMax: 1_000_000 };
    const expected = await cloud.provider.workloadLog({ signal }, instanceId, range);
    const life = lifeOf(steps);
    const db = mortalDb({ url: cloud.db.url, name: "mortal", observer: cloud.observer, life });
    const provider = mortalProvider(cloud.provider, life);
    const killed = siteCollector({
      db,
      provider,
      root: cloud.root,
      observer: cloud.observer,
      limits: attemptLimits,
      now: Date.now,
    });
    await killed.loop.pass(signal).catch(() => undefined);
    await vi.waitFor(async () => {
      const { endedAt } = await cloud.job(job.id);
      expect(life.isOver() || endedAt !== null).toBe(true);
    }, 30_000);
    await killed.close();
    await db.close();
    const early = await cloud.job(job.id);
    survived = early.endedAt !== null;
    await whileCollecting(1, async () => {
      const done = await cloud.ended(job.id);
      expect(done).toMatchObject({ state: "succeeded", reason: null });
      expect(await cloud.log(job.id)).toBe(expected.toString());
      const results = await cloud.api.bytes("downloadJobResults", { params: { jobId: job.id } });
      expect(await whole(results)).toHaveLength(done.resultsBytes ?? -1);
    });
  }
});

/** Ends after so many calls to the database or the platform. */
function lifeOf(steps: number): Life & { readonly isOver: () => boolean } {
  let taken = 0;
  return {
    get over() {
      taken += 1;
      return taken > steps;
    },
    isOver: () => taken > steps,
  };
}

test("bytes that were written and not counted when a collector died are written over", async () => {
  const job = await cloud.submit({
    script: "talk",
    environment: { SIMULATE_SECONDS: "2", SIMULATE_LINES: "20" },
  });
  await cloud.until(job.id, "running");
  await whileCollecting(1, () =>
    vi.waitFor(async () => expect(await cloud.log(job.id)).toContain("line 2 of 20"), 8_000),
  );
  const key = { tenantId: cloud.tenantId, jobId: job.id, attempt: 1 };
  const file = await findAttemptFile(cloud.db, key, "log");
  if (file === undefined) throw new Error("there is no log");
  await appendFile(fileAt(cloud.root, file), "half a line that nobody counted");
  const before = await cloud.log(job.id);
  expect(before).not.toContain("nobody counted");
  await whileCollecting(1, async () => {
    await cloud.ended(job.id);
    const log = await cloud.log(job.id);
    expect(log.startsWith(before)).toBe(true);
    expect(log).toContain(numbered(20));
    expect(log).not.toContain("nobody counted");
  });
  const { items } = await cloud.api.call("listFiles", { query: { limit: 200 } });
  const shown = items.find(({ id }) => id === file.id);
  const bytes = await whole(await cloud.api.bytes("downloadFile", { params: { fileId: file.id } }));
  expect(shown).toMatchObject({ kind: "log", jobId: job.id, sizeBytes: bytes.length });
  expect(shown?.sha256).toBe(createHash("sha256").update(bytes).digest("hex"));
});

test("a log is read by ranges, and an offset beyond its end is its reader's", async () => {
  const job = await cloud.submit({ script: "talk", environment: { SIMULATE_SECONDS: "0.1" } });
  await whileCollecting(1, () => cloud.ended(job.id));
  const log = await cloud.log(job.id);
  const at = (offset: number) =>
    cloud.api.bytes("readJobLog", { params: { jobId: job.id }, query: { offset } });
  const rest = await at(10);
  expect(rest.logOffset).toBe(log.length);
  expect((await whole(rest)).toString()).toBe(log.slice(10));
  const end = await at(log.length);
  expect(end.logOffset).toBe(log.length);
  expect(await whole(end)).toHaveLength(0);
  expect((await at(log.length + 100)).logOffset).toBe(log.length + 100);
  await expect(
    cloud.api.bytes("readJobLog", { params: { jobId: job.id }, query: { attempt: 2 } }),
  ).rejects.toMatchObject({ code: "not_found" });
  await expect(
    cloud.stranger.bytes("readJobLog", { params: { jobId: job.id } }),
  ).rejects.toMatchObject({ code: "not_found" });
});

test("no log is left open once its job has ended", async () => {
  const rows = await cloud.db.rows(
    sql`select id from stored_file where state = 'writing'`,
    z.object({ id: z.string() }),
  );
  expect(rows).toEqual([]);
});
