/** What the server says of what is being chosen: price, room, and the term's price; asked a moment after each change. */
import { useEffect, useState } from "react";

import { useApi } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";

import type { Plan } from "./rent-form.ts";

const settleMs = 250;

/** The value once it stays for a moment. */
function useSettled<T>(value: T): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), settleMs);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}

export function useRentQuote({
  flavor,
  diskGiB,
  hours,
  plan,
}: {
  readonly flavor: string | undefined;
  readonly diskGiB: number | undefined;
  readonly hours: number;
  readonly plan: Plan;
}) {
  const may = useMay();
  const disk = useSettled(diskGiB);
  const isSizeSane = disk === undefined || (disk >= 1 && disk <= 65_536);
  const ask = {
    flavor: flavor ?? "",
    ...(disk === undefined || !isSizeSane ? {} : { diskGiB: disk }),
  };
  const enabled = flavor !== undefined;
  const price = useApi("quote", { body: { ...ask, hours } }, { enabled, keepsLast: true });
  const room = useApi("planRequest", { body: ask }, { enabled, keepsLast: true, everyMs: 20_000 });
  const term = plan === "on_demand" ? "monthly" : plan;
  const order = useApi(
    "quoteOrder",
    { body: { kind: "subscription", flavor: ask.flavor, term } },
    { enabled: enabled && plan !== "on_demand" && may("billing.read"), keepsLast: true },
  );
  return { price, room, order };
}
export type RentQuote = ReturnType<typeof useRentQuote>;
