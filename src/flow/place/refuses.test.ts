/** Work goes only to hosts that start its kind: machines of a class, hosted jobs. */
import { expect, test } from "vitest";

import { recordHosts, recordSite } from "#catalog/sites.ts";
import type { Refuses } from "#kernel/host-refuses.ts";
import type { Shape } from "#kernel/shape.ts";
import { testDatabase } from "#test/database.ts";
import { aHost, aShape } from "#test/place-states.ts";
import { addOwner, ask as askFor, placesOf, waitsFor } from "#test/waiting.ts";

import type { PlaceAsk } from "./ask.ts";
import { couldEverFit, couldEverFitTogether } from "./decide.ts";
import { findHost } from "./hosts.ts";
import { hostStates } from "./hosts-read.ts";
import { placeLoop } from "./loop.ts";
import { Planner } from "./planner.ts";

const { db } = await testDatabase();
const at = Date.UTC(2026, 4, 4);
const gib = 2 ** 30;
const why = "the kubelet hands out no dedicated CPUs";

function ask(shape: Partial<Shape> = {}, change: Partial<PlaceAsk> = {}): PlaceAsk {
  return { tenantId: "ann", shape: aShape(shape), ...change };
}

function placesIn(planner: Planner, asked: PlaceAsk): (string | undefined)[] {
  const answers = Array.from({ length: 3 }, () => planner.place(asked));
  return answers.map((answer) => (answer.placed ? answer.hostId : undefined));
}

test("R-CPU-11, R-CORE-03: a host that starts none of a class gets none of it, and whatever else there is", () => {
  const hosts = [
    aHost({ id: "plain", name: "plain", refuses: { core: why } }),
    aHost({ id: "static", name: "static" }),
  ];
  const core = ask({ serviceClass: "core", vcpus: 4 });
  expect(placesIn(new Planner(hosts), core)).toEqual(["static", "static", undefined]);
  const standard = ask({ serviceClass: "standard", vcpus: 6 });
  expect(new Set(placesIn(new Planner(hosts), standard))).toEqual(
    new Set(["plain", "static", undefined]),
  );
  // One of class core is a job: that is another question.
  const job = { ...core, kind: "job" } as const;
  expect(placesIn(new Planner([aHost({ refuses: { core: why } })]), job)).toContain("h1");
  expect(placesIn(new Planner([aHost({ refuses: { job: why } })]), job)).not.toContain("h1");
  // A gang of the other class lies on both kinds of hosts.
  const gang = Array.from({ length: 2 }, () => ask({ serviceClass: "standard", vcpus: 6 }));
  expect(couldEverFitTogether(hosts, gang, "spread").placed).toBe(true);
});

test("where no host starts it an order is refused, with the reason; where one does it waits for room there", () => {
  const core = ask({ serviceClass: "core" });
  const answer = couldEverFit([aHost({ refuses: { core: why } })], core);
  expect(answer).toMatchObject({
    placed: false,
    reason: {
      code: "no_host_fits",
      details: { obstacles: { "starts no machines of class core": 1 }, refusals: [why] },
    },
  });
  expect(answer.placed ? "" : answer.reason.message).toContain(
    "of 1 host, starts no machines of class core on 1.",
  );
  const job = couldEverFit([aHost({ refuses: { job: why } })], { ...core, kind: "job" });
  expect(job.placed ? "" : job.reason.message).toContain("starts no hosted jobs on 1");
  const full = aHost({ id: "static", milliCpusUsed: 8000 });
  const hosts = [aHost({ refuses: { core: why } }), full];
  expect(couldEverFit(hosts, core).placed).toBe(true);
  expect(new Planner(hosts).place(core)).toMatchObject({
    placed: false,
    reason: {
      details: { obstacles: { "starts no machines of class core": 1, "not enough CPU": 1 } },
    },
  });
});

async function seen(hosts: Readonly<Record<string, Refuses | undefined>>): Promise<void> {
  const kind = { kind: "simulated", version: "1", execution: "simulated" } as const;
  await recordSite(db, { site: "s", ...kind, executionReason: "", capabilities: {} }, at);
  const items = Object.entries(hosts).map(([id, refuses]) => ({
    id,
    state: "up" as const,
    cpus: 64,
    memoryBytes: 512 * gib,
    diskBytes: 4096 * gib,
    hugePages: {},
    labels: {},
    gpus: [],
    ...(refuses === undefined ? {} : { refuses }),
  }));
  await recordHosts(db, { site: "s", at, listing: { complete: true, items } });
}

test("what a site says of its hosts decides at the next pass, is shown to the operator, and is taken back", async () => {
  await seen({ plain: { standard: why, job: why } });
  const [host] = await hostStates(db, at);
  expect(host?.refuses).toEqual({ standard: why, job: why });
  expect(await findHost(db, host?.id ?? "", at)).toMatchObject({
    refuses: { standard: why, job: why },
  });
  const loop = placeLoop({ db, now: () => at });
  const pass = () => loop.pass(new AbortController().signal);
  const [lease, job] = await Promise.all(
    (["lease", "job"] as const).map(async (kind) => askFor(db, await addOwner(db), { kind, at })),
  );
  await pass();
  expect(await waitsFor(db, lease ?? "")).toBe("no_host_fits");
  expect(await waitsFor(db, job ?? "")).toBe("no_host_fits");

  await seen({ plain: { standard: why } });
  await pass();
  expect(await placesOf(db, [job ?? ""])).toEqual(["plain"]);
  expect(await waitsFor(db, lease ?? "")).toBe("no_host_fits");

  await seen({ plain: undefined });
  await pass();
  expect(await placesOf(db, [lease ?? ""])).toEqual(["plain"]);
});
