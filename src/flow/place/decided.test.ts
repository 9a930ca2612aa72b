/** One row of the log of decisions, and nothing else, says why. */
import { expect, test } from "vitest";
import { z } from "zod";

import { sql } from "#db/sql.ts";
import { decidedWork } from "#flow/queue/decisions.ts";
import { reasonRow } from "#flow/admit/rows.ts";
import { present } from "#kernel/assert.ts";
import { testDatabase } from "#test/database.ts";
import { addHosts, addOwner, ask } from "#test/waiting.ts";

import { placeLoop } from "./loop.ts";

const { db } = await testDatabase();
const hourMs = 3_600_000;
const now = Date.UTC(2026, 4, 4);

const row = z.object({
  policy: z.string(),
  inputs: z.object({
    free: z.record(z.string(), z.number()),
    hosts: z.record(z.string(), z.looseObject({ name: z.string() })),
    work: z.array(decidedWork),
  }),
  answers: z.object({
    started: z.array(z.looseObject({ id: z.string(), hostId: z.string() })),
    refused: z.array(z.object({ id: z.string(), code: z.string(), reason: z.int() })),
    reasons: z.array(reasonRow),
    reserved: z.array(z.object({ id: z.string(), startsAt: z.number() })),
  }),
});

test("S-05, S-06: why this one started there and that one waits is in the row of the decision", async () => {
  await addHosts(
    db,
    [
      { name: "h0", gpus: 2 },
      { name: "h1", gpus: 1, cpus: 8 },
    ],
    now,
  );
  const owner = await addOwner(db);
  const at = now - hourMs;
  const long = await ask(db, owner, { gpus: 1, limitSeconds: 36_000, at });
  const wide = await ask(db, owner, { gpus: 2, at: at + 1 });
  const gold = await ask(db, owner, { gpus: 1, priority: 20, at: at + 2 });
  const never = await ask(db, owner, { gpus: 4, at: at + 3 });
  const also = await ask(db, owner, { gpus: 4, at: at + 3 });
  await placeLoop({ db, now: () => now }).pass(new AbortController().signal);

  const { policy, inputs, answers } = await db.one(
    sql`select policy, inputs, answers from decision order by id desc limit 1`,
    row,
  );
  expect(policy).toBe("due+balance");
  const started = answers.started.map(({ id }) => id);
  expect(started.toSorted()).toEqual([wide, gold].toSorted());
  // The order: who started was due before whom he went.
  const due = (id: string): number =>
    present(inputs.work.find((work) => work.id === id)?.dueAt ?? undefined, "when it was due");
  expect(due(gold)).toBeLessThan(due(wide));
  expect(due(wide)).toBeLessThan(due(long));
  // The room: what there was, in the pool and on the hosts that were taken.
  expect(inputs.free["A100"]).toBe(3000);
  const hostOf = (id: string): unknown =>
    inputs.hosts[answers.started.find((each) => each.id === id)?.hostId ?? ""];
  expect(hostOf(wide)).toMatchObject({ name: "h0", gpus: { A100: { free: 2, begun: 0 } } });
  expect(hostOf(gold)).toMatchObject({ name: "h1", milliCpus: 8000 });
  // The reason, in words and numbers, once for all that have it.
  const reasonOf = (id: string): z.output<typeof reasonRow> | undefined =>
    answers.reasons[answers.refused.find((each) => each.id === id)?.reason ?? -1];
  expect(reasonOf(long)).toMatchObject({ code: "reserved", message: expect.stringMatching(/./) });
  expect(answers.reserved).toMatchObject([{ id: long, startsAt: expect.any(Number) }]);
  expect(reasonOf(never)?.code).not.toBe("reserved");
  expect(reasonOf(also)).toBe(reasonOf(never));
  expect(inputs.work).toHaveLength(5);
});
