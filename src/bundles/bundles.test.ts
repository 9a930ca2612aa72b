/**
 * A customer's bundle, from his usage to the verdict: the true one is proved to the fen, and whatever
 * is changed in it is found and named. Forged bundles have digests that fit, as a forger's would.
 */
import { buffer } from "node:stream/consumers";

import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";

import { loadPriceBook } from "#catalog/price-profiles.ts";
import { readStatement } from "#flow/invoice/statements.ts";
import { present } from "#kernel/assert.ts";
import { localMonth } from "#kernel/calendar.ts";
import { billingZone } from "#kernel/zone.ts";
import { signCheckpoint } from "#tlog/checkpoint.ts";
import { formatKey } from "#tlog/keys.ts";
import { nodeHasher, nodeSha256, nodeVerify } from "#tlog/node-crypto.ts";
import { testDatabase } from "#test/database.ts";
import { verifyBundle, type Trust, type Verdict } from "#verify/verify.ts";

import { exportBundle } from "./export.ts";
import { changeEvent, dropEvent, forge, partsOf, recordOf, type Parts } from "./forge.ts";
import { liveTwoMonths, newCustomer, signer, signerOf } from "./sample.ts";

const { db } = await testDatabase();
const crypto = { sha256: nodeSha256, hasher: nodeHasher(), verify: nodeVerify };
const pinned: Trust = { key: formatKey(signer.key), checkpoint: undefined };
const customer = await newCustomer(db, "acme 算力", billingZone);
await liveTwoMonths(db, customer);

async function bundleOf(month: string, keptSize?: number): Promise<Uint8Array> {
  const { tenantId } = customer;
  const chunks = await exportBundle(db, { tenantId, month: localMonth(month), keptSize });
  return new Uint8Array(await buffer(chunks));
}

const may = await bundleOf("2026-05");
const june = await bundleOf("2026-06");

function verify(bytes: Uint8Array, trust: Trust = pinned): Verdict {
  return verifyBundle(bytes, { crypto, trust });
}

/** What is found in a forged bundle: codes with their places. */
function found(change: (parts: Parts) => void, of = may): string[] {
  const verdict = verify(forge(of, change));
  expect(verdict.isProved).toBe(false);
  expect(verdict.failures.length).toBeGreaterThan(0);
  return verdict.failures.map(({ code, place }) => `${code}: ${place}`);
}

function codesOf({ failures }: Verdict): string[] {
  return failures.map(({ code }) => code);
}

function keptCodes(bytes: Uint8Array, checkpoint: string): string[] {
  return codesOf(verify(bytes, { ...pinned, checkpoint }));
}

function checkpointsIn({ records }: Parts): Parts["records"] {
  return records.filter((each) => each["record"] === "checkpoint");
}

function isJobLine(record: Record<string, unknown>): boolean {
  return record["day"] === "2026-05-06" && record["sku"] === "gpu.A10";
}

function eventsWith(parts: Parts, text: string): number {
  const at = parts.events.findIndex((event) => event.includes(text));
  expect(at).toBeGreaterThanOrEqual(0);
  return at;
}

test("MT-04 R-EXP-2: a true bill is proved from the bundle alone, closed or not", () => {
  const closed = verify(may);
  expect(closed.failures).toEqual([]);
  expect(closed).toMatchObject({
    isProved: true,
    bill: { state: "final", total: "4178.30", events: 29, isKeyPinned: true },
  });
  const open = verify(june);
  expect(open.failures).toEqual([]);
  expect(open).toMatchObject({ isProved: true, bill: { state: "provisional" } });
  expect(open.notes.map(({ code }) => code)).toEqual(
    expect.arrayContaining(["provisional", "open_usage", "no_outside_checkpoint"]),
  );
  // Without a key of one's own that is said, not hidden.
  const own = verify(may, { key: undefined, checkpoint: undefined });
  expect(own.isProved).toBe(true);
  expect(own.notes.map(({ code }) => code)).toContain("own_key");
});

test("MT-05: the bundle's bill is the one that the customer sees, and its bytes are always the same", async () => {
  const { tenantId } = customer;
  const statement = await db.tenant(tenantId, async (tx) =>
    readStatement(tx, await loadPriceBook(tx), {
      tenant: { id: tenantId, name: "acme 算力" },
      timeZone: billingZone,
      range: { kind: "billed", month: localMonth("2026-06") },
    }),
  );
  expect(recordOf(partsOf(june), "statement")["statement"]).toEqual(statement);
  expect(await bundleOf("2026-05")).toEqual(may);
  expect(await bundleOf("2026-06")).toEqual(june);
});

test("MT-04: a flipped byte anywhere is found, and the place is named", () => {
  fc.assert(
    fc.property(fc.nat(may.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
      const flipped = may.slice();
      flipped[at] = (flipped[at] ?? 0) ^ mask;
      const { isProved, failures } = verify(flipped);
      expect(isProved).toBe(false);
      const line = may.subarray(0, at).filter((byte) => byte === 0x0a).length + 1;
      const places = failures.map(({ place }) => place);
      // A newline that is gone, or is new, is seen in the line it makes.
      const names = [line, line + 1].map((each) => `line ${each} of the file`);
      const isNamed = places.some(
        (place) =>
          names.some((name) => new RegExp(`${name}\\b`).test(place)) ||
          place.includes("last line of the file") ||
          place === "the end of the file",
      );
      expect(isNamed, `${line}: ${places.join("; ")}`).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test("a bundle that is cut anywhere is refused", () => {
  fc.assert(
    fc.property(fc.nat(may.length - 1), (until) => {
      expect(verify(may.subarray(0, until)).isProved).toBe(false);
    }),
    { numRuns: 100 },
  );
});

test("MT-04: an event that says something else is named by its id, its leaf and the line it changes", () => {
  const places = found((parts) => {
    const at = eventsWith(parts, '"sku":"mem.gib"');
    parts.events[at] = present(parts.events[at], "an event").replace(
      '"units":"32"',
      '"units":"33"',
    );
  });
  expect(places[0]).toMatch(/^event_changed: event [0-9a-f-]{36}\/1 \(leaf [0-9]+, line [0-9]+ of/);
  expect(places.join("\n")).toMatch(/statement_differs: statement, line \d+: 2026-05-09 mem\.gib/);
});

test("MT-04: with a leaf that fits, it is not in the log", () => {
  const places = found((parts) => {
    const at = eventsWith(parts, '"sku":"mem.gib"');
    changeEvent(parts, at, (text) => text.replace('"units":"32"', '"units":"33"'));
  });
  expect(places[0]).toMatch(/^not_in_log: leaves 1 to \d+$/);
  expect(places.join("\n")).toContain("2026-05-09 mem.gib");
});

test("MT-04: an event that was removed is missed in its chain, in the log, and on its line", () => {
  const all = found((parts) =>
    dropEvent(parts, eventsWith(parts, '"from":"2026-05-09T16:00:00Z"')),
  );
  const text = all.join("\n");
  expect(text).toMatch(/segment_missing: interval [0-9a-f-]{36}/);
  expect(text).toMatch(/not_in_log/);
  expect(text).toMatch(/statement_differs: statement, line \d+: 2026-05-10 cpu\.core: amount/);
  // A credit that is kept from the customer, too.
  const credit = found((parts) => dropEvent(parts, eventsWith(parts, "retracted.v1"))).join("\n");
  expect(credit).toMatch(/2026-05-04 gpu\.A10: amount/);
});

test("an event twice, one of somebody else, and one in two days are named", () => {
  const twice = found((parts) => {
    const at = eventsWith(parts, '"sku":"mem.gib"');
    changeEvent(parts, at + 1, () => parts.events[at] ?? "");
  });
  expect(twice.join("\n")).toMatch(/event_twice: event [0-9a-f-]+\/1 /);
  const other = found((parts) =>
    changeEvent(parts, 3, (text) => text.replace(/"tenant":"......../, '"tenant":"00000000')),
  );
  expect(other.join("\n")).toMatch(/event_of_other_tenant: event/);
  const long = found((parts) =>
    changeEvent(parts, eventsWith(parts, '"sku":"mem.gib"'), (text) =>
      text.replace('"until":"2026-05-09T16:00:00Z"', '"until":"2026-05-09T17:00:00Z"'),
    ),
  );
  expect(long.join("\n")).toMatch(/event_span: event/);
});

test("MT-07: a swapped price is named on every line that it makes", () => {
  const places = found((parts) => {
    const body = z.looseObject({ payg_hourly: z.record(z.string(), z.string()) });
    const profile = recordOf(parts, "profile");
    const parsed = body.parse(profile["body"]);
    profile["body"] = { ...parsed, payg_hourly: { ...parsed.payg_hourly, "gpu.T4": "4" } };
  });
  expect(places.join("\n")).toMatch(/2026-05-01 gpu\.T4: amount/);
  expect(places.join("\n")).toMatch(/2026-05-01 gpu\.T4: listPrice/);
  const contract = found((parts) => {
    recordOf(parts, "contract")["price"] = "0.3";
  });
  expect(contract.join("\n")).toMatch(/2026-05-10 cpu\.core: listPrice/);
  const zone = found((parts) => {
    recordOf(parts, "bundle")["timeZone"] = "Europe/Berlin";
  });
  expect(zone.join("\n")).toMatch(/event_span/);
});

test("MT-07: a swapped, changed or invented order item is named", () => {
  const swapped = found((parts) => {
    const [first, second] = parts.records.flatMap((record, index) =>
      record["record"] === "order" ? [index] : [],
    );
    const [a, b] = [parts.records[first ?? 0], parts.records[second ?? 0]];
    parts.records[first ?? 0] = present(b, "an item");
    parts.records[second ?? 0] = present(a, "an item");
  });
  expect(swapped.join("\n")).toMatch(/statement, line 28: 2026-05-12 support_24x7: amount/);
  const dearer = found((parts) => {
    recordOf(parts, "order")["amount"] = "2600.00";
  });
  expect(dearer.join("\n")).toMatch(/order_amount: order item [0-9a-f-]+ \(service support_24x7\)/);
  const refund = found((parts) => {
    const item = recordOf(parts, "order", (each) => each["refundOf"] !== null);
    Object.assign(item, { amount: "-9000.00", listPrice: "-9000.00" });
  });
  expect(refund.join("\n")).toMatch(/order_refund/);
});

test("MT-07: who paid is checked: shares that do not sum up, packages that should have paid", () => {
  const paid = { ended: [], packages: [], promotion: "0.00", receivable: "0.00" };
  const less = found((parts) => {
    recordOf(parts, "line", isJobLine)["paid"] = { ...paid, wallet: "1.00" };
  });
  expect(less.join("\n")).toMatch(/paid_sum: line 2026-05-06 gpu\.A10/);
  const cash = found((parts) => {
    recordOf(parts, "line", isJobLine)["paid"] = { ...paid, wallet: "90.00" };
  });
  expect(cash.join("\n")).toMatch(/paid_otherwise: line 2026-05-06 gpu\.A10/);
});

test("a line that is left out, doubled or posted out of the log is named", () => {
  const dropped = found((parts) => {
    parts.records = parts.records.filter(
      (each) =>
        each["record"] !== "line" || each["sku"] !== "storage" || each["day"] !== "2026-05-21",
    );
  });
  expect(dropped.join("\n")).toMatch(/usage_without_line: 2026-05-21 storage/);
  const late = found((parts) => {
    recordOf(parts, "line", (each) => Array.isArray(each["leaves"]))["leaves"] = [];
  });
  expect(late.join("\n")).toMatch(/gpu\.T4: (amount|leaves)/);
  const hidden = found((parts) => {
    const after = { record: "after", leaves: [5] };
    const at = parts.records.findIndex((each) => each["record"] === "invoice");
    parts.records.splice(at, 0, after);
  });
  expect(hidden.join("\n")).toMatch(/statement_differs/);
});

test("a bill that says another sum, and an invoice with another hash, are named", () => {
  const places = found((parts) => {
    const record = recordOf(parts, "statement");
    record["statement"] = { ...z.looseObject({}).parse(record["statement"]), total: "1.00" };
  });
  expect(places).toEqual(
    expect.arrayContaining([
      "statement_differs: statement, total",
      expect.stringMatching(/^invoice_hash: invoice MR-2026-05-/),
    ]),
  );
});

test("MT-04: a wrong key, a forged checkpoint, one of another log and a log cut short are told apart", async () => {
  const impostor = signerOf(signer.key.name, 9);
  expect(codesOf(verify(may, { ...pinned, key: formatKey(impostor.key) }))).toEqual(
    expect.arrayContaining(["wrong_key", "not_signed"]),
  );
  const forged = found((parts) => {
    const note = present(checkpointsIn(parts).at(-1), "a checkpoint");
    note["note"] = String(note["note"]).replace("\n37\n", "\n38\n");
  });
  expect(forged[0]).toBe("forged: checkpoint 3");
  const root = new Uint8Array(32).fill(3);
  const elsewhere = signerOf("example.org/other", 7);
  const other = found((parts) => {
    const text = signCheckpoint({ origin: elsewhere.key.name, size: 37, root }, elsewhere);
    present(checkpointsIn(parts).at(-1), "a checkpoint")["note"] = text;
  });
  expect(other[0]).toBe("other_log: checkpoint 3");
  const short = found((parts) => {
    parts.records = parts.records.filter((each) => each !== checkpointsIn(parts).at(-1));
  });
  expect(short.join("\n")).toMatch(/not_in_log/);
  const rewritten = found((parts) => {
    const text = signCheckpoint({ origin: signer.key.name, size: 37, root }, signer);
    present(checkpointsIn(parts).at(-1), "a checkpoint")["note"] = text;
  });
  expect(rewritten.join("\n")).toMatch(/inconsistent: checkpoints 31 and 37/);
});

test("MT-04: a checkpoint that the customer kept shows a fork and a log cut short", async () => {
  const root = new Uint8Array(32).fill(3);
  const kept = (size: number) => signCheckpoint({ origin: signer.key.name, size, root }, signer);
  for (const { note } of checkpointsIn(partsOf(may)))
    expect(keptCodes(may, String(note))).toEqual([]);
  expect(keptCodes(may, kept(37))).toEqual(["fork"]);
  expect(keptCodes(may, kept(38))).toEqual(["truncated"]);
  expect(keptCodes(may, "hello\n")).toEqual(["bad_checkpoint"]);
  // One of a size that the bundle has no proof for: it says how to get one, and then it is compared.
  expect(keptCodes(may, kept(20))).toEqual(["no_proof"]);
  expect(keptCodes(await bundleOf("2026-05", 20), kept(20))).toEqual(["inconsistent"]);
  await expect(bundleOf("2026-05", 99)).rejects.toMatchObject({ code: "wrong_state" });
});
