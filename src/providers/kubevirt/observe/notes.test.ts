/** What to know of a machine besides its state. */
import { expect, test } from "vitest";

import { of } from "./test-seen.ts";

test("S-03: a change of a machine with a GPU waits for a restart", () => {
  const conditions = [
    { type: "RestartRequired", status: "True", message: "a non-live-updatable field was changed" },
  ];
  expect(of({ machine: { conditions } }).notes).toMatchObject([
    { code: "restart_required", for: "customer" },
  ]);
});

test("why a machine cannot move ends as a sentence, whatever KubeVirt puts at its end: what to do follows it", () => {
  const notes = ["its disk has the wrong access mode", "its disk has the wrong access mode."].map(
    (message) => {
      const conditions = [{ type: "LiveMigratable", status: "False", message }];
      return of({ instance: { phase: "Running", conditions } }).notes.find(
        ({ code }) => code === "not_migratable",
      )?.message;
    },
  );
  const said = "The machine cannot move while it runs: its disk has the wrong access mode.";
  expect(notes).toEqual([said, said]);
});

test("a node that is emptied: moved, or the customer has to act", () => {
  const drained = { phase: "Running", evacuationNodeName: "gpu-002" };
  const stays = {
    ...drained,
    conditions: [
      { type: "AgentConnected", status: "True" },
      {
        type: "LiveMigratable",
        status: "False",
        reason: "HostDeviceNotLiveMigratable",
        message: "VMI specifies a GPU but feature gate VGPULiveMigration is not enabled",
      },
    ],
  };
  const gpus = [{ name: "g0" }];
  expect(of({ instance: stays, gpus }).notes).toMatchObject([
    { code: "not_migratable", for: "nobody" },
    { code: "node_is_drained", for: "customer", details: { node: "gpu-002", moves: false } },
  ]);
  expect(of({ instance: drained }).notes[0]).toMatchObject({
    code: "node_is_drained",
    for: "nobody",
  });
});

test("moves and snapshots are noted", () => {
  const moving = { phase: "Running", migrationState: { targetNode: "node-2" } };
  const broken = { phase: "Running", migrationState: { failed: true, failureReason: "no room" } };
  const codes = [moving, broken].map((instance) =>
    of({ instance, machine: { snapshotInProgress: "s" } }).notes.map(({ code }) => code),
  );
  expect(codes).toEqual([
    ["snapshot_in_progress", "guest_agent_silent", "moving"],
    ["snapshot_in_progress", "guest_agent_silent", "move_failed"],
  ]);
});
