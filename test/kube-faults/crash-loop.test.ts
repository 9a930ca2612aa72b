/**
 * Runs that end before they are up, again and again, and one of them that somebody deletes by hand: KubeVirt
 * starts none after it, so the machine comes back on because its lease wants it on.
 */
import { expect, test } from "vitest";
import { z } from "zod";

import { sql } from "#db/sql.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { at, textAt } from "#test/kube/api/json.ts";
import { remove } from "#test/kube/api/removal.ts";

import { minuteMs, patience, startStaged, type Staged } from "./staged.ts";

const noImage = { because: "no such image: virt-launcher:v1.9.0" };
type Place = Awaited<ReturnType<Staged["placeOf"]>>;

const runOf = ({ cluster }: Staged, place: Place) =>
  cluster.server.objects.store.get(kinds.machineInstance, place);

/** A run that is on its way, and not up. */
async function nextRun(staged: Staged, place: Place, before?: string): Promise<string> {
  await expect
    .poll(() => {
      const run = runOf(staged, place);
      const isNew = run !== undefined && run.metadata.uid !== before;
      return isNew && textAt(run, "status", "phase") === "Scheduling";
    }, patience)
    .toBe(true);
  return runOf(staged, place)?.metadata.uid ?? "";
}

function deleteRun({ cluster }: Staged, place: Place): void {
  remove(cluster.server.objects, kinds.machineInstance, place, { propagation: "Background" });
}

/** Those that are made of the machine from now on, by uid. */
function runsMade({ cluster }: Staged, place: Place): ReadonlySet<string> {
  const made = new Set<string>();
  cluster.server.objects.store.listen(({ kind, before, after }) => {
    const isNew = kind === kinds.machineInstance && before === undefined;
    if (isNew && after?.metadata.name === place.name) made.add(after.metadata.uid);
  });
  return made;
}

async function failures({ cluster }: Staged, place: Place, count: number): Promise<void> {
  await expect
    .poll(() => {
      const machine = cluster.server.objects.store.get(kinds.machine, place);
      return at(machine, "status", "startFailure", "consecutiveFailCount");
    }, patience)
    .toBe(count);
}

async function crashed(staged: Staged, place: Place, times: number): Promise<string> {
  let run = await nextRun(staged, place);
  for (let n = 0; n < times; n += 1) {
    staged.cluster.nodes.guestEnds(place, "crashed");
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await failures(staged, place, n + 1);
    // KubeVirt lets it rest, longer each time.
    staged.forward(minuteMs);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    run = await nextRun(staged, place, run);
  }
  return run;
}

async function eventsOf({ db }: Staged, requestId: string): Promise<readonly string[]> {
  const rows = await db.rows(
    sql`select kind from request_event where request_id = ${requestId} order by at, id`,
    z.object({ kind: z.string() }),
  );
  return rows.map(({ kind }) => kind);
}

test("a machine that never came up, whose run is deleted by hand while it crashes on and on, is started once more and billed once", async () => {
  const staged = await startStaged("loop");
  const { cluster } = staged;
  cluster.nodes.pulls(noImage);
  const id = await staged.order("vm");
  await staged.until(id, "creating");
  const place = await staged.placeOf(id);
  const last = await crashed(staged, place, 2);
  const made = runsMade(staged, place);
  deleteRun(staged, place);
  // By itself KubeVirt makes none: our start does, and it waits for the rest that is due.
  await expect.poll(() => eventsOf(staged, id), patience).toContain("restarting");
  staged.forward(minuteMs);
  const next = await nextRun(staged, place, last);
  cluster.nodes.pulls(undefined);
  await staged.until(id, "running");
  expect([...made].filter((uid) => uid !== last)).toEqual([next]);
  expect(runOf(staged, place)?.metadata.uid).toBe(next);
  expect(await staged.kindsOf(id)).toEqual(["created", "ready"]);
  expect((await eventsOf(staged, id)).filter((kind) => kind === "restarting")).toHaveLength(1);
}, 400_000);

test("a machine that crashed and whose next run is deleted by hand before it is up is started again; the time between is not billed", async () => {
  const staged = await startStaged("again");
  const { cluster } = staged;
  const id = await staged.order("vm");
  await staged.until(id, "running");
  const place = await staged.placeOf(id);
  const first = runOf(staged, place)?.metadata.uid;
  cluster.nodes.pulls(noImage);
  staged.forward(minuteMs);
  cluster.nodes.guestEnds(place, "crashed");
  const second = await nextRun(staged, place, first);
  await staged.until(id, "starting");
  deleteRun(staged, place);
  const third = await nextRun(staged, place, second);
  staged.forward(minuteMs);
  cluster.nodes.pulls(undefined);
  await staged.until(id, "running");
  expect(runOf(staged, place)?.metadata.uid).toBe(third);
  const transitions = await staged.transitions(id);
  expect(transitions.map(({ kind }) => kind)).toEqual(["created", "ready", "stopped", "ready"]);
  const [, , stopped, ready] = transitions;
  expect((ready?.at ?? 0) - (stopped?.at ?? Infinity)).toBeGreaterThanOrEqual(minuteMs - 1000);
}, 400_000);
