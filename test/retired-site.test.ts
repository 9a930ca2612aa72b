/** A site that was taken out of the settings: retired by its operator, out of all lists, and back by itself. */
import { tmpdir } from "node:os";

import pg from "pg";
import { expect, test, vi } from "vitest";
import { z } from "zod";

import { getPlaces, listHostsHandler } from "#api/routes/catalog/places.ts";
import { orphanHandlers } from "#api/routes/platform/orphans.ts";
import { siteHandlers } from "#api/routes/platform/sites.ts";
import { poolHandlers } from "#api/routes/pools/pools.ts";
import { stateMetrics } from "#app/state-metrics.ts";
import { systemView } from "#app/system.ts";
import { moveHost } from "#catalog/pools.ts";
import { siteAwayAfterMs, siteUnreachable } from "#catalog/sites.ts";
import { sql } from "#db/sql.ts";
import { readSites } from "#doctor/sites.ts";
import { endRequest } from "#flow/admit/requests.ts";
import { hostStates } from "#flow/place/hosts-read.ts";
import { releasePlacement } from "#flow/place/store.ts";
import { openAlerts, raiseAlert } from "#notices/store.ts";
import { createObserver } from "#observe/observer.ts";

import { testApi } from "./api-server.ts";
import { holdingRows } from "./holding-rows.ts";
import { addHosts } from "./waiting.ts";

const api = await testApi({
  handlers: {
    ...siteHandlers,
    ...poolHandlers,
    ...orphanHandlers,
    getPlaces,
    listHosts: listHostsHandler,
  },
});
const { db, clock, operator } = api;
const now = (): number => clock.now;
const system = systemView({
  db,
  loops: [],
  looks: [],
  troubles: () => [],
  version: "test",
  startedAt: clock.now,
  now,
});
const observer = createObserver({ level: "silent" });
stateMetrics({ observer, db, dataDirectory: tmpdir(), now });
const { hold, newPool } = await holdingRows(db);

async function ask(method: string, path: string) {
  const { status, body } = await api.ask(method, path, { secret: operator.secret });
  return { status, body, text: JSON.stringify(body) };
}

const retire = (site: string): ReturnType<typeof ask> => ask("DELETE", `/v1/sites/${site}`);

/** Every list in which a site, or what it has, is shown. */
async function shown(): Promise<Readonly<Record<string, boolean>>> {
  const client = new pg.Client(db.url);
  await client.connect();
  const doctor = await readSites(client);
  await client.end();
  const { signal } = new AbortController();
  const says: Record<string, unknown> = {
    hosts: (await ask("GET", "/v1/hosts?limit=200")).body,
    places: (await ask("GET", "/v1/places")).body,
    orphans: (await ask("GET", "/v1/orphans")).body,
    placement: (await hostStates(db, clock.now)).map(({ labels }) => labels),
    sites: await system.sites(signal),
    findings: await system.findings(signal),
    doctor,
    metrics: (await observer.metrics.metrics())
      .split("\n")
      .filter((line) => line.startsWith("millrace_site_")),
  };
  return Object.fromEntries(
    Object.entries(says).map(([list, what]) => [list, JSON.stringify(what).includes("far")]),
  );
}

const everywhere = {
  hosts: true,
  places: true,
  orphans: true,
  placement: true,
  sites: true,
  findings: true,
  doctor: true,
  metrics: true,
};
const nowhere = Object.fromEntries(Object.keys(everywhere).map((list) => [list, false]));

async function hostIdOf(name: string): Promise<string> {
  const { id } = await db.one(
    sql`select id from host where name = ${name}`,
    z.object({ id: z.string() }),
  );
  return id;
}

const gpuHost = { name: "far-1", site: "far", cpus: 8, gpus: 2 };

test("a site is retired once it is away and holds nothing; then it is in no list and no alert, until it answers", async () => {
  await addHosts(db, [{ name: "near-1", site: "near" }, gpuHost], clock.now);
  const both = await newPool({});
  const far = await hostIdOf("far-1");
  await db.transaction((tx) => moveHost(tx, far, both));
  const data = { host: "far-1", percent: 60, limit: 40 };
  await raiseAlert(db, {
    key: "contended:far:far-1",
    kind: "host_contended",
    severity: "warning",
    data,
    at: clock.now,
  });
  await db.execute(sql`
    insert into orphan (site, machine_id, first_seen_at, seen_at, known, detail)
    values ('far', '0190c2b4-0000-7000-8000-000000000001', now(), now(), false,
      ${JSON.stringify({
        owner: null,
        locator: { name: "far" },
        hostId: "far-1",
        power: "running",
        cpu: { sockets: 1, cores: 1, threads: 1 },
        memoryBytes: 1,
        diskBytes: 1,
        isJob: false,
      })}::jsonb)`);

  expect(await retire("no-such")).toMatchObject({ status: 404 });
  const answers = await retire("far");
  expect(answers).toMatchObject({ status: 409, body: { code: "wrong_state" } });
  expect(answers.text).toMatch(/The site far answers: it was seen at .* half a minute later/);

  const held = await hold({ hostId: far });
  await siteUnreachable(db, { site: "far", trouble: "the watch was lost" });
  clock.now += siteAwayAfterMs + 1;
  expect(await shown()).toEqual(everywhere);
  const { signal } = new AbortController();
  expect(await system.findings(signal)).toContainEqual(
    expect.objectContaining({ advice: expect.stringContaining("millrace site retire far") }),
  );
  const refused = await retire("far");
  expect(refused).toMatchObject({
    status: 409,
    body: { code: "wrong_state", details: { count: 1, held: [{ kind: "lease" }] } },
  });
  expect(refused.text).toMatch(/The site far holds what is not ended: lease vm-\d+ of /);
  expect(await shown()).toEqual(everywhere);

  await releasePlacement(db, held, clock.now);
  const { id } = await db.one(
    sql`select request_id as id from placement where instance_id = ${held.instanceId}`,
    z.object({ id: z.string() }),
  );
  await db.transaction((tx) =>
    endRequest(tx, { tenantId: held.tenantId, id, at: clock.now, reason: null }),
  );
  const done = await retire("far");
  expect(done).toMatchObject({ status: 200, body: { site: "far", hosts: 1 } });
  expect(await shown()).toEqual(nowhere);
  expect(await openAlerts(db)).toEqual([]);
  expect((await ask("GET", `/v1/pools/${both}`)).body).toMatchObject({
    hosts: 0,
    hostsAway: 0,
    gpus: [],
    findings: [],
  });

  // Once more is the same, and nothing new in the audit.
  clock.now += 1000;
  expect((await retire("far")).body).toEqual(done.body);
  const { count } = await db.one(
    sql`select count(*)::int as count from audit_entry
      where action = 'site.retire' and outcome = 'done'`,
    z.object({ count: z.int() }),
  );
  expect(count).toBe(1);

  await addHosts(db, [gpuHost], clock.now);
  expect(await shown()).toEqual({ ...everywhere, findings: false });
  expect((await ask("GET", `/v1/pools/${both}`)).body).toMatchObject({
    hosts: 1,
    gpus: [{ model: "A100", devices: 2 }],
  });
});

test("a pool that only hosts of retired sites are in can be removed; they take nothing when they are back", async () => {
  await addHosts(db, [{ name: "old-1", site: "old" }], clock.now);
  const olds = await newPool({});
  const old = await hostIdOf("old-1");
  await db.transaction((tx) => moveHost(tx, old, olds));
  clock.now += siteAwayAfterMs + 1;
  expect(await ask("DELETE", `/v1/pools/${olds}`)).toMatchObject({ status: 409 });
  expect(await retire("old")).toMatchObject({ status: 200 });
  expect(await ask("DELETE", `/v1/pools/${olds}`)).toMatchObject({ status: 204 });
  await addHosts(db, [{ name: "old-1", site: "old" }], clock.now);
  const state = (await hostStates(db, clock.now)).find(({ name }) => name === "old-1");
  expect(state).toMatchObject({ up: true, schedulable: false, pool: null });
});

test("what was placed while a site was being retired is seen, or finds its hosts gone", async () => {
  await addHosts(db, [{ name: "late-1", site: "late" }], clock.now);
  const host = await hostIdOf("late-1");
  clock.now += siteAwayAfterMs + 1;
  let retiring: ReturnType<typeof retire> | undefined;
  await hold({ hostId: host }, async () => {
    retiring = retire("late");
    // It waits for the host, which this transaction has locked.
    await vi.waitFor(
      async () => {
        const waits = await db.rows(
          sql`select pid from pg_stat_activity
            where wait_event_type = 'Lock' and datname = current_database()`,
          z.object({ pid: z.int() }),
        );
        expect(waits).toHaveLength(1);
      },
      { timeout: 60_000, interval: 50 },
    );
  });
  expect(await retiring).toMatchObject({ status: 409, body: { details: { count: 1 } } });
});
