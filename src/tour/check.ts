/**
 * Is the bill right? The usage is compared with what this clock saw, and the charges are worked
 * out a second time, from the intervals and the printed prices, with arithmetic of their own.
 */
import { setTimeout as wait } from "node:timers/promises";

import type { Client } from "#client/client.ts";
import type { AnswerOf, ItemOf } from "#client/types.ts";
import { Failure } from "#kernel/failure.ts";

import type { Stage } from "./stage.ts";

/** When something was seen to run, by the clock of the tour. */
export interface Seen {
  readonly what: string;
  readonly resourceId: string;
  readonly from: number;
  readonly until: number;
}

type Interval = ItemOf<"listUsage">;

/** Between the machine's stop and our hearing of it; a stop takes its time. */
const toleranceSeconds = 45;
const settleTimeoutMs = 30_000;
const intervalsMax = 1000;

/** The month and the total of the bill, once it was found right. */
export async function checkBill(
  client: Client,
  stage: Stage,
  seen: readonly Seen[],
): Promise<{ readonly month: string; readonly total: string }> {
  const intervals = await stage.step(
    "Usage to the second, against what the clock saw",
    async () => {
      const found = await settledUsage(client);
      for (const each of seen) compare(stage, each, found);
      return found;
    },
  );
  return stage.step("Charges, statement; the sums agree to the fen", async () => {
    const statement = await settledStatement(client, intervals);
    for (const line of statement.lines) {
      stage.fact(
        `${line.date}  ${line.sku.padEnd(9)} ${line.quantity.padStart(10)} ${line.unit.padEnd(9)} ${line.amount.padStart(6)} CNY`,
      );
    }
    stage.fact(`total ${statement.total} CNY (net ${statement.net}, VAT ${statement.vat})`);
    const balance = await client.call("getBalance");
    stage.fact(`left ${balance.available} of 100.00 CNY`);
    const left = fen(balance.available) + fen(statement.total) + fen(balance.held);
    if (left !== 10_000n) {
      throw new Failure("internal", `Balance and charges make ${left} fen, not 10000.`);
    }
    return { month: statement.from.slice(0, 7), total: statement.total };
  });
}

/** Everything was released, so every interval will be closed. */
async function settledUsage(client: Client): Promise<Interval[]> {
  const until = performance.now() + settleTimeoutMs;
  for (;;) {
    const found: Interval[] = [];
    for await (const interval of client.items("listUsage", {}, { itemsMax: intervalsMax })) {
      found.push(interval);
    }
    const open = found.filter((interval) => interval.until === null);
    if (found.length > 0 && open.length === 0) return found;
    if (performance.now() > until) {
      throw new Failure("internal", `${open.length} intervals are still open after the release.`);
    }
    await wait(200);
  }
}

function compare(stage: Stage, seen: Seen, intervals: readonly Interval[]): void {
  const found = intervals.find(
    (interval) =>
      interval.resourceId === seen.resourceId &&
      interval.sku === "cpu.core" &&
      Math.abs(Date.parse(interval.from) - seen.from) < 1500,
  );
  if (found === undefined) {
    throw new Failure("internal", `No usage of the ${seen.what} starts when it was seen to start.`);
  }
  const seconds = (seen.until - seen.from) / 1000;
  stage.fact(`${seen.what}: ${found.seconds} s metered, ${seconds.toFixed(1)} s seen`);
  if (found.seconds > seconds + 1 || found.seconds < seconds - toleranceSeconds) {
    throw new Failure("internal", `${found.seconds} s were metered and ${seconds} s were seen.`);
  }
}

/** The rater works in the background; it is waited for until its lines hold all usage. */
async function settledStatement(
  client: Client,
  intervals: readonly Interval[],
): Promise<AnswerOf<"getStatement">> {
  const until = performance.now() + settleTimeoutMs;
  for (;;) {
    const statement = await client.call("getStatement");
    const wrong = statement.lines.filter((line) => fen(line.amount) !== chargeOf(line, intervals));
    const sum = statement.lines.reduce((total, line) => total + fen(line.amount), 0n);
    if (statement.lines.length > 0 && wrong.length === 0 && sum === fen(statement.total)) {
      return statement;
    }
    if (performance.now() > until) {
      const [line] = wrong;
      throw new Failure(
        "internal",
        line === undefined
          ? `The lines sum to ${sum} fen and the statement says ${statement.total}.`
          : `${line.sku} is charged ${line.amount}; its usage makes ${chargeOf(line, intervals)} fen.`,
      );
    }
    await wait(300);
  }
}

const basePerUnit: Readonly<Record<string, bigint>> = {
  "cpu.core": 3600n,
  "mem.gib": 3600n,
  storage: 86_400n * 1_073_741_824n,
};

/** The amount of a SKU for a day in fen, half away from zero, assuming that the tour is one day. */
function chargeOf(
  line: { readonly sku: string; readonly listPrice: string },
  intervals: readonly Interval[],
): bigint {
  const [yuan = "0", decimals = ""] = line.listPrice.split(".");
  const scale = 10n ** BigInt(decimals.length);
  const price = BigInt(yuan + decimals) * 100n;
  let numerator = 0n;
  const denominator = 1_000_000n * scale * (basePerUnit[line.sku] ?? 3600n);
  for (const interval of intervals) {
    if (interval.sku !== line.sku || !interval.billable) continue;
    const [whole = "0", part = ""] = interval.units.split(".");
    const millionths = BigInt(whole) * 1_000_000n + BigInt(part.padEnd(6, "0").slice(0, 6));
    numerator += millionths * BigInt(interval.seconds) * price;
  }
  return (2n * numerator + denominator) / (2n * denominator);
}

function fen(amount: string): bigint {
  return BigInt(amount.replace(".", ""));
}
