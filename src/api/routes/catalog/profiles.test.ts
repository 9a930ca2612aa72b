/** Price profiles through the API: what would surprise is said before and at the activation. */
import { expect, test } from "vitest";

import { seedPriceProfile } from "#catalog/price-profiles.ts";
import { defaultProfileJson } from "#catalog/profile.ts";
import { priceProfileCheck, priceProfileDetail } from "#contract/schemas/catalog.ts";
import { testApi } from "#test/api-server.ts";

import { activateProfile, checkProfile, createProfile, listProfiles } from "./profiles.ts";

const api = await testApi({
  handlers: {
    createPriceProfile: createProfile,
    checkPriceProfile: checkProfile,
    activatePriceProfile: activateProfile,
    listPriceProfiles: listProfiles,
  },
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

test("a check says all that is wrong and where, else what would surprise, and keeps nothing", async () => {
  const { secret } = await api.keyOf("root");
  const check = async (profile: unknown) => {
    const answer = await api.ask("POST", "/v1/price-profiles/check", { secret, body: { profile } });
    return priceProfileCheck.parse(answer.body);
  };
  const versions = async () => (await api.ask("GET", "/v1/price-profiles", { secret })).body;
  const before = await versions();
  const wrong = structuredClone<Record<string, unknown>>(defaultProfileJson);
  wrong["storage_gib_day"] = "cheap";
  wrong["surprise"] = true;
  const problems = (await check(wrong)).problems.map(({ path }) => path);
  expect(problems.toSorted()).toEqual(["", "storage_gib_day"]);
  const odd = structuredClone(defaultProfileJson);
  odd.storage_gib_day = "0";
  expect(await check(odd)).toMatchObject({
    problems: [],
    findings: expect.arrayContaining([
      { severity: "warning", message: expect.stringContaining("storage costs nothing") },
    ]),
  });
  expect(await versions()).toEqual(before);
});
