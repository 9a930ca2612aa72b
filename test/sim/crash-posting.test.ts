/** A crash at any write of posting: every day, package, adjustment and hold is booked once. */
import { hash } from "node:crypto";

import { expect, test } from "vitest";
import { v7 as newId } from "uuid";

import { sql } from "#db/sql.ts";
import { placeHoldOnPackages, releaseHeld } from "#flow/ledger/holds.ts";
import { buyPackage } from "#flow/ledger/purchases.ts";
import { recordTopUp } from "#flow/ledger/store.ts";
import { localDay } from "#kernel/calendar.ts";
import { parseFen } from "#kernel/money.ts";

import { tell, type Story } from "./crash.ts";
import {
  at,
  books,
  diesEverywhere,
  metered,
  observer,
  only,
  rate,
  remains,
  scene,
  url,
  use,
  type Scene,
} from "./money-crash.ts";

test("the harness finds what is done twice, and names the place", async () => {
  const story: Story<Scene> = {
    remains,
    books,
    prepare: () => scene(1),
    steps: [
      {
        does: (process, of) =>
          process.execute(sql`
            insert into notice (tenant_id, id, key, kind, severity, data, at)
            values (${only(of)}, ${newId()}, ${newId()}, 'k', 'info', '{}', 'epoch')`),
      },
    ],
  };
  const { wrong, places } = await diesEverywhere(story);
  expect(places).toBe(2);
  expect(wrong).toHaveLength(1);
  expect(wrong[0]).toMatch(/^dead at 1, after: insert into notice .*: too much in notice: /s);
});

/** The same each time that a step is done again. */
function packageId(of: Scene): string {
  return `00000000-0000-4000-8000-${hash("sha256", of.name).slice(0, 12)}`;
}

test(
  "R-LED-1: a crash at any write of posting: days, packages, breakage, late usage and holds are booked once",
  { timeout: 60_000 },
  async () => {
    const story: Story<Scene> = {
      remains,
      books,
      prepare: async () => {
        const of = await scene(1);
        await use(only(of), [at("2026-05-04", 1), at("2026-05-04", 5)]);
        await use(only(of), [at("2026-05-04", 6), at("2026-05-04", 7)], "lease");
        await use(only(of), [at("2026-05-05"), at("2026-05-06", 3)]);
        await metered(at("2026-05-06", 4));
        return of;
      },
      steps: [
        {
          does: (process, of) =>
            process.tenant(only(of), (tx) =>
              recordTopUp(tx, only(of), {
                reference: "first",
                amount: parseFen("1050.00"),
                at: at("2026-05-04"),
              }),
            ),
        },
        {
          does: (process, of) =>
            process.tenant(only(of), (tx) =>
              buyPackage(tx, only(of), {
                packageId: packageId(of),
                code: "P1000",
                price: parseFen("1000.00"),
                bonus: parseFen("50.00"),
                usableFrom: localDay("2026-05-04"),
                usableThrough: localDay("2026-05-05"),
                expiresAt: at("2026-05-06"),
                at: at("2026-05-04"),
              }),
            ),
        },
        {
          does: (process, of) =>
            process.tenant(only(of), (tx) =>
              placeHoldOnPackages(tx, only(of), {
                reference: "job",
                amount: parseFen("1060.00"),
                description: "First hour",
                at: at("2026-05-04"),
              }),
            ),
        },
        { does: (process, of) => rate(process, only(of), at("2026-05-06", 4)) },
        { does: (process, of) => rate(process, only(of), at("2026-05-07")) },
        {
          does: (process, of) =>
            process.tenant(only(of), (tx) =>
              releaseHeld(tx, only(of), { reference: "job", at: at("2026-05-07") }),
            ),
        },
        {
          meanwhile: async (of) => {
            await use(only(of), [at("2026-05-04", 10), at("2026-05-04", 11)]);
            await metered(at("2026-05-07", 1));
          },
          // Posts the last day of the package, with late usage of the day before, and forfeits the rest.
          does: (process, of) => rate(process, only(of), at("2026-05-08")),
        },
        // What the wallet cannot pay is owed.
        { does: (process, of) => rate(process, only(of), at("2026-05-09")) },
      ],
    };
    const told = await tell({ url, observer }, story, undefined);
    const text = JSON.stringify(told.books);
    for (const kind of [
      "charge",
      "adjustment",
      "breakage",
      "package_purchase",
      "hold",
      "release",
    ]) {
      expect(text).toContain(`\\"kind\\": \\"${kind}\\"`);
    }
    const { wrong, places } = await diesEverywhere(story);
    expect(wrong).toEqual([]);
    expect(places).toBeGreaterThan(50);
  },
);
