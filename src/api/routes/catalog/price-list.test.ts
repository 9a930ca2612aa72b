/** The price list through the API: what the profile says, and what it is for one tenant. */
import { expect, test } from "vitest";

import { seedPriceProfile } from "#catalog/price-profiles.ts";
import { priceList } from "#contract/schemas/price-list.ts";
import { setContractPrice } from "#flow/rate/contracts.ts";
import { createTenant } from "#identity/tenants.ts";
import { localDay } from "#kernel/calendar.ts";
import { billingZone } from "#kernel/zone.ts";
import { testApi } from "#test/api-server.ts";

import { priceListHandlers } from "./price-list.ts";

const api = await testApi({ handlers: { ...priceListHandlers } });
const { db, clock } = api;
clock.now = Date.parse("2026-05-04T10:00:00+08:00");

async function customer(name: string): Promise<{ tenantId: string; secret: string }> {
  const ask = { name, now: clock.now };
  const { tenant, administrator } = await db.transaction((tx) => createTenant(tx, ask));
  return { tenantId: tenant.id, secret: administrator.secret };
}

async function listFor(secret: string) {
  const { status, body } = await api.ask("GET", "/v1/price-list", { secret });
  expect(status).toBe(200);
  return priceList.parse(body);
}

async function a100For(secret: string) {
  return (await listFor(secret)).metered.find(({ sku }) => sku === "gpu.A100");
}

test("without a profile there is no list, and no zero in its place", async () => {
  const { secret } = await customer("early");
  const { status, body } = await api.ask("GET", "/v1/price-list", { secret });
  expect({ status, body }).toMatchObject({ status: 503, body: { code: "unavailable" } });
});

test("P-21, P-13: every way to buy is on the list, by model and by configuration", async () => {
  await db.transaction((tx) => seedPriceProfile(tx));
  const { secret } = await customer("reader");
  const list = await listFor(secret);
  const of = (sku: string) => list.metered.find((each) => each.sku === sku);
  expect(of("gpu.T4")).toMatchObject({ price: "5", unit: "GPU-hour", isAgreed: false });
  expect(of("gpu.A100")).toMatchObject({ price: "50" });
  expect(of("gpu.H100")).toMatchObject({ price: null, unit: null });
  expect(of("storage")).toMatchObject({ price: "0.05", unit: "GiB-day", benefit: null });
  expect(list.machines.find(({ sku }) => sku === "vm.a100x1")?.terms).toEqual([
    { term: "monthly", price: "15000.00" },
    { term: "annual", price: "150000.00" },
  ]);
  expect(list.machines).toContainEqual({ sku: "vm.h100x1", flavors: [], terms: [] });
  expect(list.packages.map(({ code, bonus }) => [code, bonus])).toEqual([
    ["P1000", "50.00"],
    ["P5000", "500.00"],
    ["P10000", "1500.00"],
  ]);
  expect(list.expansions).toContainEqual({ sku: "gpu.A100", daily: "600" });
  expect(list.gpuBands.bands.at(-1)).toMatchObject({ upToHours: null });
});

test("a price that was agreed with a tenant is on his list from its day on, and on no other", async () => {
  const agreed = await customer("agreed");
  const other = await customer("other");
  const price = { sku: "gpu.A100", from: localDay("2026-05-05"), price: "42.5" };
  await db.tenant(agreed.tenantId, (tx) =>
    setContractPrice(tx, agreed.tenantId, {
      ...price,
      reason: "a year of use",
      timeZone: billingZone,
      now: clock.now,
    }),
  );
  expect(await a100For(agreed.secret)).toMatchObject({ price: "50", isAgreed: false });
  clock.now = Date.parse("2026-05-05T00:00:00+08:00");
  expect(await a100For(agreed.secret)).toMatchObject({ price: "42.5", isAgreed: true });
  expect(await a100For(other.secret)).toMatchObject({ price: "50", isAgreed: false });
});
