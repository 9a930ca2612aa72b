/** Price profiles through the API: what would surprise is said before and at the activation. */
import { expect, test } from "vitest";

import { seedPriceProfile } from "#catalog/price-profiles.ts";
import { defaultProfileJson } from "#catalog/profile.ts";
import { priceProfileDetail } from "#contract/schemas/catalog.ts";
import { testApi } from "#test/api-server.ts";

import { activateProfile, createProfile } from "./profiles.ts";

const api = await testApi({
  handlers: { createPriceProfile: createProfile, activatePriceProfile: activateProfile },
});
await api.db.transaction((tx) => seedPriceProfile(tx));

test("a year that is dearer than twelve months is said when it is made and when it is activated", async () => {
  const { secret } = await api.keyOf("root");
  const profile = structuredClone(defaultProfileJson);
  profile.vm["vm.a100x1"].annual = "190000.00";
  const post = async (path: string, body: unknown) => {
    const answer = await api.ask("POST", path, { secret, body });
    return priceProfileDetail.parse(answer.body);
  };
  const made = await post("/v1/price-profiles", { name: "dearer", profile });
  const warning = { severity: "warning", message: expect.stringContaining("vm.a100x1") };
  // Core-days of an expansion are dearer than on demand in the default profile already.
  expect(made.findings).toContainEqual(warning);
  const path = `/v1/price-profiles/${made.id}/activate`;
  const active = await post(path, { from: "2030-01-01" });
  expect(active).toMatchObject({ activeFrom: "2030-01-01", findings: made.findings });
});
