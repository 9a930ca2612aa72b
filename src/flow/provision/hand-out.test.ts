/** A pass hands out what its hands can take, and the next goes on where it was cut short. */
import { expect, test } from "vitest";

import { testDatabase } from "#test/database.ts";

import { handsOut } from "./hand-out.ts";
import type { InstanceBrief } from "./instance-rows.ts";

const { db } = await testDatabase();

const seenOf = () => ({ sight: { seen: "unknown" }, digest: undefined }) as const;

test("what is not handed out in time comes first in the next pass; nobody is left out for ever", async () => {
  const stirring = Array.from({ length: 1_200 }, (_, number): InstanceBrief => ({
    tenant_id: "t",
    id: `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`,
    request_id: "r",
    kind: "lease",
    placement_state: "full",
    host_name: "h",
    host_native_id: "h",
    digest: "d",
  }));
  const asked: string[] = [];
  let isEased = false;
  const hands = {
    ask: (id: string) => asked.push(id),
    eased: () => Promise.resolve(isEased),
  };
  const { signal } = new AbortController();
  const handOut = handsOut({ db, site: "s", signal, hands });
  for (const from of [0, 500, 1_000]) {
    // oxlint-disable-next-line no-await-in-loop -- one pass after the other
    await expect(handOut(stirring, seenOf)).resolves.toBe(false);
    expect(asked[0]).toBe(stirring[from]?.id);
    expect(asked.splice(0)).toHaveLength(500);
  }
  isEased = true;
  // The last was cut in the second round, of which 300 had their turn already.
  await expect(handOut(stirring, seenOf)).resolves.toBe(true);
  expect(asked[0]).toBe(stirring[300]?.id);
  expect(new Set(asked).size).toBe(1_200);
  asked.splice(0);
  await expect(handOut(stirring, seenOf)).resolves.toBe(true);
  expect(asked).toEqual(stirring.map(({ id }) => id));
});
