/** What waits for a site that does not answer, and what does not: decided on hosts on paper. */
import { expect, test } from "vitest";

import type { Shape } from "#kernel/shape.ts";
import { aDevice, aHost, aShape, gpus } from "#test/place-states.ts";

import type { PlaceAsk } from "./ask.ts";
import { AwaySites, siteAway } from "./away.ts";
import { howManyFit } from "./free.ts";
import { siteLabel, type HostState } from "./host-state.ts";
import { Planner } from "./planner.ts";

const since = Date.UTC(2026, 4, 4, 10);

function at(site: string, change: Partial<HostState> = {}): HostState {
  return aHost({ id: site, name: site, labels: { [siteLabel]: site }, ...change });
}

function away(site: string, change: Partial<HostState> = {}): HostState {
  return at(site, { awaySince: since, ...change });
}

function ask(shape: Partial<Shape> = {}, change: Partial<PlaceAsk> = {}): PlaceAsk {
  return { tenantId: "ann", shape: aShape(shape), ...change };
}

function waitsFor(hosts: readonly HostState[], ...asks: PlaceAsk[]): unknown {
  return new AwaySites(hosts).onlyWay(asks, "pack")?.sites;
}

test("nothing new goes to a site that is away, and it is not counted as room; all else goes elsewhere", () => {
  const hosts = [at("a"), away("b")];
  const planner = new Planner(hosts);
  const places = Array.from({ length: 5 }, () => planner.place(ask()));
  expect(places.map((each) => (each.placed ? each.hostId : undefined))).toEqual([
    "a",
    "a",
    "a",
    "a",
    undefined,
  ]);
  expect(howManyFit(hosts, ask())).toMatchObject({ count: 4, hostIds: ["a"] });
  expect(howManyFit([away("b")], ask())).toMatchObject({ count: 0, hostIds: [] });
  expect(new Planner([away("b"), at("a", { milliCpusUsed: 8_000 })]).explain(ask())).toMatchObject({
    code: "no_host_fits",
    details: { obstacles: { "its site does not answer": 1, "not enough CPU": 1 } },
  });
});

test("what may run at a site that answers waits for room there, however full it is", () => {
  const full = at("a", { milliCpusUsed: 8_000 });
  expect(waitsFor([full, away("b")], ask())).toBeUndefined();
  expect(waitsFor([{ ...full, schedulable: false }, away("b")], ask())).toBeUndefined();
  expect(waitsFor([at("a"), at("b")], ask({ gpu: gpus("T4") }))).toBeUndefined();
});

test("what only a site could carry that is away waits for it: by label, by device, by size, by disk", () => {
  const hosts = [at("a"), away("b", { devices: [aDevice()], milliCpus: 32_000 })];
  expect(waitsFor(hosts, ask({ hostLabels: { [siteLabel]: "b" } }))).toEqual(["b"]);
  expect(waitsFor(hosts, ask({ gpu: gpus("T4") }))).toEqual(["b"]);
  expect(waitsFor(hosts, ask({ vcpus: 16 }))).toEqual(["b"]);
  expect(waitsFor(hosts, ask({}, { pinned: { hostId: "b", deviceIds: [] } }))).toEqual(["b"]);
  expect(waitsFor(hosts, ask({}, { only: ["b"] }))).toEqual(["b"]);
  // All together: four of two vCPUs fit here, no more.
  expect(waitsFor(hosts, ...Array.from({ length: 4 }, () => ask()))).toBeUndefined();
  expect(waitsFor(hosts, ...Array.from({ length: 5 }, () => ask()))).toEqual(["b"]);
});

test("what nothing could carry is not said to wait for a site", () => {
  expect(waitsFor([at("a"), away("b")], ask({ gpu: gpus("H100") }))).toBeUndefined();
  expect(waitsFor([], ask())).toBeUndefined();
});

test("of several sites that are away those are named that could carry it", () => {
  const earlier = since - 60_000;
  const withGpu = { devices: [aDevice()] };
  const hosts = [away("b", withGpu), away("c"), away("d", { ...withGpu, awaySince: earlier })];
  const wanted = ask({ gpu: gpus("T4") });
  expect(new AwaySites(hosts).onlyWay([wanted], "pack")).toEqual({
    sites: ["b", "d"],
    since: earlier,
  });
});

test("its customer reads which site, since when, what it costs and how to give it up", () => {
  const reason = siteAway(
    { sites: ["b"], since },
    { requestId: "4711", kind: "lease", hasDisk: false },
  );
  expect(reason).toMatchObject({ code: "site_away", details: { sites: ["b"] } });
  expect(reason.message).toBe(
    "The site b has not answered since 2026-05-04T10:00:00.000Z, and what this needs is only there. It is placed by itself once that answers; no running time is billed before it starts. To give it up: millrace lease delete 4711",
  );
  const stopped = siteAway(
    { sites: ["b"], since },
    { requestId: "4711", kind: "lease", hasDisk: true },
  );
  expect(stopped.message).toContain("until then it is billed as stopped.");
});
