/** Both readers of events against the writer, and against each other on what was changed. */
import fc from "fast-check";
import { expect, test } from "vitest";

import { canonicalText, meterSource, saltedText, type UsageEvent } from "#flow/meter/event.ts";

import { EventScanner } from "./event-bytes.ts";
import { readEvent, type ReadRecorded } from "./event-line.ts";

const tenantId = "0197f3c0-1111-7222-8333-444455556666";
const salt = "qqqqqqqqqqqqqqqqqqqqqg==";
const uuid = fc.uuid();
const second = fc.integer({ min: 946_684_800, max: 4_102_444_800 }).map((each) => each * 1000);

const event = fc
  .record({
    id: uuid,
    number: fc.integer({ min: 1, max: 1000 }),
    instanceId: uuid,
    from: second,
    length: fc.integer({ min: 1, max: 86_400 }),
    sku: fc.constantFrom("cpu.core", "gpu.A100", "mem.gib", "storage"),
    units: fc.bigInt({ min: 1n, max: 10n ** 14n }),
    slice: fc.integer({ min: 1, max: 8 }),
    billable: fc.boolean(),
    work: fc.constantFrom("lease" as const, "job" as const),
    plan: fc.constantFrom("on_demand" as const, "subscription" as const),
    reason: fc.constantFrom(null, "stopped", "node lost"),
  })
  .map((of): UsageEvent => {
    const { id, number, length, ...rest } = of;
    const until = of.from + length * 1000;
    const at = number % 2 === 0 ? until : of.from;
    const whose = { tenantId, projectId: id, requestId: id, intervalId: id };
    return {
      kind: "recorded",
      source: meterSource,
      id: `${id}/${number}`,
      at,
      until,
      ...whose,
      ...rest,
    };
  });

function scan(text: string): EventScanner | undefined {
  const bytes = new TextEncoder().encode(text);
  const scanner = new EventScanner(bytes, tenantId);
  return scanner.read(0) === bytes.length ? scanner : undefined;
}

/** What the fast reader has of it, in the form of the strict one; `undefined` where it has nothing. */
function scannedEvent(text: string): Partial<ReadRecorded> | undefined {
  const scanned = scan(text);
  if (scanned === undefined) return undefined;
  return {
    kind: "recorded",
    source: meterSource,
    tenant: tenantId,
    id: `${text.slice(scanned.intervalAt, scanned.intervalAt + 36)}/${scanned.number}`,
    instance: text.slice(scanned.instanceAt, scanned.instanceAt + 36),
    sku: scanned.skus[scanned.sku]?.name ?? "",
    from: scanned.from,
    until: scanned.until,
    units: String(scanned.units),
    slice: String(scanned.slice),
    billable: scanned.billable,
    work: scanned.isJob ? "job" : "lease",
    plan: scanned.isSubscription ? "subscription" : "on_demand",
  };
}

test("MT-04: what the meter writes is read by both readers as it was meant", () => {
  fc.assert(
    fc.property(event, (each) => {
      const text = saltedText(each, salt);
      expect(readEvent(text)).toMatchObject({ id: each.id, ...scannedEvent(text) });
      expect(scannedEvent(text)).toMatchObject({ id: each.id });
    }),
    { numRuns: 300 },
  );
});

test("where a byte is changed, the fast reader accepts nothing that the strict one reads otherwise", () => {
  fc.assert(
    fc.property(event, fc.nat(), fc.integer({ min: 0x20, max: 0x7e }), (each, at, code) => {
      const text = saltedText(each, salt);
      const place = at % text.length;
      const changed = `${text.slice(0, place)}${String.fromCharCode(code)}${text.slice(place + 1)}`;
      const scanned = scannedEvent(changed);
      expect(scanned === undefined ? {} : readEvent(changed)).toMatchObject(scanned ?? {});
    }),
    { numRuns: 3000 },
  );
});

test("the same JSON in another form, and days that do not exist, are no events", () => {
  const [one] = fc.sample(event, { numRuns: 1, seed: 7 });
  if (one === undefined) throw new Error("there is a sample");
  const text = saltedText(one, salt);
  const others = [
    text.replace('{"event"', '{ "event"'),
    text.replace('"slice":', '"slice":0'),
    text.replace(/"from":"[0-9]{4}-[0-9]{2}-[0-9]{2}/, '"from":"2026-02-30'),
    text.replace(/"from":"[0-9]{4}-[0-9]{2}-[0-9]{2}/, '"from":"2026-13-01'),
    text.replace(/T[0-9]{2}:/, "T24:"),
    text.replace(salt, salt.replace("==", "=")),
    `${text} `,
    canonicalText(one),
  ];
  for (const other of others) {
    expect([other, readEvent(other), scan(other)]).toEqual([other, undefined, undefined]);
  }
});

test("an event that takes another back is read by its own form", () => {
  const text = saltedText(
    {
      kind: "retracted",
      source: meterSource,
      id: "x/1/retracted",
      at: 0,
      tenantId,
      retracts: "x/1",
      reason: "corrected",
    },
    salt,
  );
  expect(readEvent(text)).toEqual({
    kind: "retracted",
    source: meterSource,
    id: "x/1/retracted",
    tenant: tenantId,
    retracts: "x/1",
  });
  expect(scan(text)).toBeUndefined();
});
