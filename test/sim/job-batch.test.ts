/** Many jobs in one request are what the same jobs one by one would be. */
import { randomUUID } from "node:crypto";

import fc from "fast-check";
import { v7 as newId } from "uuid";
import { expect, test } from "vitest";
import { z } from "zod";

import { recordHosts, recordSite } from "#catalog/sites.ts";
import { createClient, type Client } from "#client/client.ts";
import { ApiFailure } from "#client/problem.ts";
import type { AnswerOf } from "#client/types.ts";
import { sql } from "#db/sql.ts";
import { checkLedger } from "#flow/ledger/check.ts";
import { buyPackage } from "#flow/ledger/purchases.ts";
import { recordTopUp } from "#flow/ledger/store.ts";
import { ensureOperator, newRootKey } from "#identity/operator.ts";
import { createTenant } from "#identity/tenants.ts";
import { dayOf, dayStart, localDay } from "#kernel/calendar.ts";
import { fen, formatFen, parseFen } from "#kernel/money.ts";
import { billingZone } from "#kernel/zone.ts";
import { jobCloud } from "./job-cloud.ts";

const cloud = await jobCloud();
const { db } = cloud;
const gib = 2 ** 30;
const limits = { jobs: 6, vcpus: 8, memoryMiB: 16_384, diskGiB: 120, gpus: { T4: 2 } };
const testTimeoutMs = 300_000;

await recordSite(
  db,
  {
    site: "s",
    kind: "simulated",
    version: "1",
    execution: "simulated",
    executionReason: "",
    capabilities: {},
  },
  Date.now(),
);
await recordHosts(db, {
  site: "s",
  at: Date.now(),
  listing: {
    complete: true,
    items: [
      {
        id: "h",
        state: "up",
        cpus: 8,
        memoryBytes: 64 * gib,
        diskBytes: 500 * gib,
        hugePages: {},
        labels: {},
        gpus: [{ id: "g", model: "T4", memoryBytes: 16 * gib, isolation: "hard", slicesMax: 8 }],
      },
    ],
  },
});

interface Customer {
  readonly tenantId: string;
  readonly secret: string;
  readonly api: Client;
}

/** With so much money, a package of 1.00 where one is wanted, and small limits. */
async function customer(money: string, packaged: "package" | "wallet"): Promise<Customer> {
  const now = Date.now();
  const opened = await db.transaction(async (tx) => {
    const made = await createTenant(tx, { name: `c${newId()}`.slice(0, 30), now });
    const { id } = made.tenant;
    if (packaged === "package") {
      const price = parseFen("1.00");
      await recordTopUp(tx, id, { reference: "package", amount: price, at: now });
      await buyPackage(tx, id, {
        packageId: newId(),
        code: "P1",
        price,
        bonus: parseFen("0.10"),
        usableFrom: dayOf(billingZone, now),
        usableThrough: localDay("2099-12-31"),
        expiresAt: dayStart(billingZone, localDay("2100-01-01")),
        at: now,
      });
    }
    if (parseFen(money) > 0n) {
      await recordTopUp(tx, id, { reference: "money", amount: parseFen(money), at: now });
    }
    await tx.execute(sql`
      insert into quota_limit (tenant_id, limits) values (${id}, ${JSON.stringify({
        ...limits,
        leases: 1,
        snapshots: 1,
        storageGiB: 1,
      })})`);
    return made;
  });
  const { secret } = opened.administrator;
  return {
    tenantId: opened.tenant.id,
    secret,
    api: createClient({ baseUrl: cloud.url, credential: secret }),
  };
}

/** What is in the books of a tenant, without what is a matter of chance: ids and times. */
async function books({ tenantId }: Customer): Promise<unknown> {
  const requests = await db.rows(
    sql`select r.name, r.shape, r.price, r.priority, r.workload, r.wanted, r.turn,
        (select count(*)::int from operation o
          where o.tenant_id = r.tenant_id and o.request_id = r.id) as operations,
        (select sum(p.amount)::text from journal j join posting p
            on p.tenant_id = j.tenant_id and p.journal_id = j.id and p.account_kind = 'held'
          where j.tenant_id = r.tenant_id and j.key = 'hold:' || r.id) as "inWallet",
        (select h.amount::text from package_hold h
          where h.tenant_id = r.tenant_id and h.reference = r.id::text) as "onPackages"
      from request r where r.tenant_id = ${tenantId} order by r.name`,
    z.record(z.string(), z.unknown()),
  );
  const accounts = await db.rows(
    sql`select kind, balance::text as balance from account
      where tenant_id = ${tenantId} and balance <> 0 order by kind, balance`,
    z.record(z.string(), z.unknown()),
  );
  const audited = await db.rows(
    // Of one that is refused alone, what was sent is not copied.
    sql`select outcome, case outcome when 'done' then details
          else details - 'name' - 'flavor' end as details, target is not null as targeted
      from audit_entry where tenant_id = ${tenantId} and action = 'job.create'
      order by at, id`,
    z.record(z.string(), z.unknown()),
  );
  return { requests, accounts, audited };
}

type Answer = { readonly accepted: true } | { readonly code: string; readonly detail: string };

async function alone({ api }: Customer, job: unknown): Promise<Answer> {
  try {
    await api.callLoose("createJob", { body: job });
    return { accepted: true };
  } catch (error) {
    if (!(error instanceof ApiFailure)) throw error;
    return { code: error.code, detail: error.message };
  }
}

async function together({ api }: Customer, asks: unknown[]): Promise<Answer[]> {
  const { results } = await api.call("createJobBatch", { body: { jobs: asks } });
  return results.map((each) =>
    each.outcome === "accepted"
      ? { accepted: true }
      : { code: each.problem.code, detail: each.problem.detail },
  );
}

/** Fine ones most of the time; the others are wrong in every way that a job can be. */
const someJob = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      flavor: fc.constantFrom("nano", "small", "medium", "large", "t4.1", "t4.quarter"),
      script: fc.constant("true"),
      timeLimitSeconds: fc.constantFrom(1, 600, 7200),
      environment: fc.constantFrom({}, { A: "1" }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Record<string, unknown>>(
      { flavor: "unknown", script: "true" },
      { flavor: "a100.1", script: "true" },
      { flavor: "nano", script: "true", image: "plan9" },
      { flavor: "nano", script: "true", inputs: [randomUUID()] },
      { flavor: "nano", script: "true", projectId: randomUUID() },
      { flavor: "nano", script: "true", environment: { MILLRACE_X: "1" } },
      { flavor: "nano" },
      { flavor: "nano", script: "true", gpus: 0 },
      { flavor: "nano", script: "true", timeLimitSeconds: -1 },
    ),
  },
);

test(
  "the same jobs one by one or in batches give the same answers, requests, holds, balances and audit",
  { timeout: testTimeoutMs },
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(someJob, { minLength: 1, maxLength: 14 }),
        fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 14, maxLength: 14 }),
        fc.constantFrom("0.00", "0.30", "4.00", "100.00"),
        fc.constantFrom("package" as const, "wallet" as const),
        async (jobs, cuts, money, packaged) => {
          const named = jobs.map((job, index) => ({ name: `job-${index + 10}`, ...job }));
          const one = await customer(money, packaged);
          const many = await customer(money, packaged);
          const singly: Answer[] = [];
          // oxlint-disable-next-line no-await-in-loop -- one after the other
          for (const job of named) singly.push(await alone(one, job));
          const batched: Answer[] = [];
          for (const cut of cuts) {
            const from = batched.length;
            if (from === named.length) break;
            // oxlint-disable-next-line no-await-in-loop -- one after the other
            batched.push(...(await together(many, named.slice(from, from + cut))));
          }
          expect(batched).toEqual(singly);
          expect(await books(many)).toEqual(await books(one));
        },
      ),
      { numRuns: 12 },
    );
    expect(await checkLedger(db)).toEqual([]);
  },
);

async function send(
  { secret }: Customer,
  body: unknown,
  key: string = randomUUID(),
): Promise<{ status: number; headers: Headers; body: unknown }> {
  const response = await fetch(`${cloud.url}/v1/jobs/batch`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${secret}`,
      "content-type": "application/json",
      "idempotency-key": key,
    },
    body: JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

function nanos(count: number, flavor = "nano"): { name: string; flavor: string; script: string }[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `j${index}`,
    flavor,
    script: "true",
  }));
}

async function requestsOf({ tenantId }: Customer): Promise<string[]> {
  const rows = await db.rows(
    sql`select name from request where tenant_id = ${tenantId} order by name`,
    z.object({ name: z.string() }),
  );
  return rows.map(({ name }) => name);
}

type Batch = AnswerOf<"createJobBatch">;

test("the same batch again is the same batch", async () => {
  const who = await customer("100.00", "wallet");
  const first = await send(who, { jobs: nanos(3) }, "twice");
  const again = await send(who, { jobs: nanos(3) }, "twice");
  expect(first.status).toBe(202);
  expect(again.body).toEqual(first.body);
  expect(again.headers.get("idempotency-replayed")).toBe("true");
  expect(await requestsOf(who)).toHaveLength(3);
  expect(await send(who, { jobs: nanos(2) }, "twice")).toMatchObject({
    status: 422,
    body: { code: "idempotency_mismatch" },
  });
});

test("one that is wrong in the middle keeps no other from its place, and says what is wrong", async () => {
  const who = await customer("100.00", "wallet");
  const [a, b] = nanos(2);
  const wrong = [
    { name: "c", flavor: "unknown", script: "true" },
    { name: "d", flavor: "nano", script: "true", gpus: 1.5 },
    { name: "e", flavor: "nano", script: "true", timeLimitSeconds: 0 },
    "no job at all",
    { name: "f", flavor: "a100.1", script: "true" },
  ];
  const { results, accepted, refused }: Batch = await who.api.call("createJobBatch", {
    body: { jobs: [a, ...wrong, b] },
  });
  expect([accepted, refused]).toEqual([2, 5]);
  expect(results.map((each) => each.index)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  const codes = results.map((each) =>
    each.outcome === "accepted" ? "" : `${each.problem.code} ${each.problem.detail}`,
  );
  expect(codes).toEqual([
    "",
    expect.stringMatching(/^rule_violation No flavor "unknown"/),
    expect.stringMatching(/^invalid_request .*gpus: unknown field/),
    expect.stringMatching(/^invalid_request .*timeLimitSeconds/),
    expect.stringMatching(/^invalid_request /),
    expect.stringMatching(/^quota_exceeded Over quota: .*gpu.A100 0 used \+ 1 asked > 0/),
    "",
  ]);
  expect(await requestsOf(who)).toEqual(["j0", "j1"]);
});

test("over quota part way, the first ones that fit are taken and the others named", async () => {
  const who = await customer("100.00", "wallet");
  const answers = await together(who, nanos(8));
  expect(answers.map((each) => "accepted" in each)).toEqual([
    ...Array.from({ length: 6 }, () => true),
    false,
    false,
  ]);
  expect(answers[6]).toMatchObject({
    code: "quota_exceeded",
    detail: expect.stringContaining("jobs 6 used + 1 asked > 6"),
  });
});

test("over balance part way, what the money reaches for is taken; a cheaper one behind it still is", async () => {
  const quoted = await cloud.api.call("quote", { body: { flavor: "medium" } });
  const hold = parseFen(quoted.hold ?? "0");
  expect(hold).toBeGreaterThan(1n);
  const who = await customer(formatFen(fen(hold * 2n + 1n)), "wallet");
  const short = { name: "short", flavor: "nano", script: "true", timeLimitSeconds: 1 };
  const answers = await together(who, [...nanos(3, "medium"), short]);
  expect(answers).toEqual([
    { accepted: true },
    { accepted: true },
    { code: "insufficient_credit", detail: expect.stringContaining("; 0.01 is available") },
    { accepted: true },
  ]);
  expect(await who.api.call("getBalance")).toMatchObject({ available: "0.00" });
  expect(await checkLedger(db)).toEqual([]);
});

test("all or none: one that is refused refuses all, with the reasons of each; nothing is held", async () => {
  const who = await customer("100.00", "wallet");
  const bad = { name: "bad", flavor: "unknown", script: "true" };
  const answer = await send(who, { jobs: [...nanos(3), bad], allOrNone: true });
  expect(answer).toMatchObject({
    status: 422,
    body: {
      code: "rule_violation",
      detail: expect.stringMatching(
        /^Nothing was submitted: of 4 jobs 1 were refused. Job 3: No flavor/,
      ),
      details: { refused: 1, jobs: [{ index: 3, code: "rule_violation" }] },
    },
  });
  expect(await requestsOf(who)).toEqual([]);
  expect(await who.api.call("getBalance")).toMatchObject({ held: "0.00", available: "100.00" });
  // Over quota part way.
  expect(await send(who, { jobs: nanos(7), allOrNone: true })).toMatchObject({
    status: 403,
    body: { code: "quota_exceeded", details: { refused: 1 } },
  });
  expect(await requestsOf(who)).toEqual([]);
  expect((await send(who, { jobs: nanos(6), allOrNone: true })).status).toBe(202);
  expect(await requestsOf(who)).toHaveLength(6);
});

test("what is too many, too large, empty or no batch is refused whole", async () => {
  const who = await customer("100.00", "wallet");
  const large = { name: "a", flavor: "nano", script: "x".repeat(262_144) };
  for (const [body, status, code] of [
    [{ jobs: nanos(501) }, 400, "invalid_request"],
    [{ jobs: [] }, 400, "invalid_request"],
    [nanos(1), 400, "invalid_request"],
    [{ jobs: nanos(1), allOrNone: "yes" }, 400, "invalid_request"],
    [{ jobs: Array.from({ length: 5 }, () => large) }, 413, "payload_too_large"],
    [{ jobs: [{ ...nanos(1)[0], script: "a\0b" }] }, 400, "invalid_request"],
  ] as const) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    expect(await send(who, body)).toMatchObject({ status, body: { code } });
  }
  expect(await requestsOf(who)).toEqual([]);
});

test("of two batches at once, quota and money are given once", async () => {
  const who = await customer("100.00", "wallet");
  const answers = await Promise.all([1, 2, 3].map(() => together(who, nanos(4))));
  expect(answers.flat().filter((each) => "accepted" in each)).toHaveLength(6);
  expect(await requestsOf(who)).toHaveLength(6);
});

test.each([
  ["no GPU", { model: "T4", count: 0 }],
  ["less than none", { model: "T4", count: -1 }],
  ["one and a half", { model: "T4", count: 1.5 }],
  ["a slice of 1/0", { model: "T4", count: 1, slice: 0 }],
  ["a slice of 1/-2", { model: "T4", count: 1, slice: -2 }],
  ["a slice of 1/1.5", { model: "T4", count: 1, slice: 1.5 }],
  ["two quarters", { model: "T4", count: 2, slice: 4 }],
])("a flavor with %s is refused before anything can ask for it", async (_, gpu) => {
  const operator = await db.transaction(async (tx) => {
    return (await ensureOperator(tx, Date.now())) ?? (await newRootKey(tx, Date.now()));
  });
  const root = createClient({ baseUrl: cloud.url, credential: operator.secret });
  const flavor = {
    name: "odd",
    vcpus: 1,
    cpu: { sockets: 1, cores: 1, threads: 1 },
    memoryMiB: 512,
    diskGiB: 4,
    gpu,
  };
  const made = root.callLoose("createFlavor", { body: flavor });
  await expect(made).rejects.toMatchObject({
    code: expect.stringMatching(/^(invalid_request|rule_violation)$/),
  });
});
