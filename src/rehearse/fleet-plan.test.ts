/** What other hosts would do to what runs now: gangs are kept whole, or displaced whole. */
import { expect, test } from "vitest";

import type { HostState } from "#flow/place/host-state.ts";
import { Neighbors } from "#flow/place/neighbors.ts";
import { aHost, aShape } from "#test/place-states.ts";

import { planFleet, type Held } from "./fleet-plan.ts";

const shape = aShape({ vcpus: 4, cpu: { sockets: 1, cores: 4, threads: 1 } });

function host(id: string, usedCpus: number): HostState {
  return aHost({ id, name: id, milliCpusUsed: usedCpus * 1000 });
}

function member(requestId: string, hostId: string, how: "pack" | "spread"): Held {
  const gang = { id: "gang", how };
  return {
    requestId,
    tenantId: "t",
    kind: "job",
    name: requestId,
    hostId,
    shape,
    fenPerHour: 100n,
    gang,
  };
}

function withoutHost(hostId: string, hosts: readonly HostState[], held: readonly Held[]) {
  const view = {
    entries: [],
    hosts,
    held: new Map(),
    neighbors: new Neighbors(),
    running: { work: [], promised: [] },
    limits: { limits: [], caps: [], used: [], promised: [] },
  };
  return planFleet(view, { held, changes: [{ do: "remove", host: hostId }], at: 0 });
}

test("S-16: a gang that loses a host is placed again with those that stay, or is displaced as a whole", () => {
  const packed = [member("m0", "a", "pack"), member("m1", "b", "pack")];
  const kept = withoutHost("b", [host("a", 4), host("b", 4)], packed);
  expect(kept.displaced).toMatchObject([{ requestId: "m1", refusal: null }]);
  expect(kept.after.revenuePerHour).toBe(200n);
  const full = withoutHost("b", [host("a", 6), host("b", 4)], packed);
  expect(full.displaced.map(({ requestId }) => requestId).toSorted()).toEqual(["m0", "m1"]);
  expect(full.after.revenuePerHour).toBe(0n);
  // Each on a host of its own: beside the one that stays is no place.
  const apart = [member("m0", "a", "spread"), member("m1", "b", "spread")];
  const two = withoutHost("b", [host("a", 4), host("b", 4)], apart);
  expect(two.displaced).toHaveLength(2);
  const three = withoutHost("b", [host("a", 4), host("b", 4), host("c", 0)], apart);
  expect(three.displaced).toMatchObject([{ requestId: "m1", refusal: null }]);
});
