import { expect, test } from "vitest";

import type { Remark } from "#providers/provider.ts";
import { aShape, gpus } from "#test/place-states.ts";

import { notesOf } from "./lease-notes.ts";

const restart: Remark = {
  code: "restart_required",
  message: "A change of the machine is stored and takes effect when it is started again.",
  advice: "Stop it and start it again when it suits you: a reboot is not enough.",
  who: "customer",
};
const fixed: Remark = {
  code: "not_migratable",
  message: "A machine with a GPU cannot move while it runs.",
  advice: "When its node is maintained, you are told.",
  who: "nobody",
};
const drained: Remark = { ...fixed, code: "node_is_drained", who: "customer" };
const since = Date.UTC(2026, 4, 4);

type Seen = Parameters<typeof notesOf>[0];

function seen(change: Partial<Seen>): Seen {
  return {
    state: "running",
    shape: aShape({}),
    notes: [],
    pending_resize: false,
    host: "h1",
    host_left_since: null,
    move_live: { can: true },
    start_elsewhere: { can: true },
    ...change,
  };
}

const codes = (change: Partial<Seen>): string[] => notesOf(seen(change)).map(({ code }) => code);

test("a new size and a restart that is due are one note, which says both", () => {
  expect(notesOf(seen({ notes: [restart] }))).toEqual([restart]);
  const [both, ...others] = notesOf(seen({ notes: [restart], pending_resize: true }));
  expect(others).toEqual([]);
  expect(both).toEqual({
    ...restart,
    message:
      "Its new size, the price of that, and what else was changed take effect when it is started again; until then it is billed as before.",
  });
});

test("on a host that is left, what cannot move says what its owner can do, once", () => {
  const gpu = { shape: aShape({ gpu: gpus("A100") }), notes: [fixed, drained, restart] };
  expect(codes(gpu)).toEqual(["not_migratable", "node_is_drained", "restart_required"]);
  const left = { ...gpu, host_left_since: since };
  expect(codes(left)).toEqual(["host_is_left", "restart_required"]);
  expect(notesOf(seen(left))[0]).toMatchObject({
    who: "customer",
    advice: expect.stringMatching(/^Stop it and start it again .* another host/),
  });
  expect(notesOf(seen({ ...left, start_elsewhere: { can: false } }))[0]).toMatchObject({
    who: "customer",
    message: expect.stringContaining("its disk is there"),
  });
  // What moves by itself needs nobody; what is stopped is not there.
  expect(codes({ host_left_since: since })).toEqual([]);
  expect(codes({ host_left_since: since, notes: [fixed] })).toEqual(["host_is_left"]);
  expect(codes({ host_left_since: since, move_live: { can: false } })).toEqual(["host_is_left"]);
  expect(codes({ ...left, state: "stopped" })).not.toContain("host_is_left");
});
