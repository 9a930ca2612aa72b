import { expect, test } from "vitest";

import { currentOf, stateOf, type Version } from "./profile-state.ts";

function version(id: string, activeFrom: string | null): Version {
  return { id, name: id, version: 1, activeFrom, createdAt: "2026-01-01T00:00:00Z" };
}

test("of versions that have begun the latest is in force; later ones are to come, others are over", () => {
  const versions = [
    version("draft", null),
    version("old", "2000-01-01"),
    version("next", "2026-06-01"),
    version("now", "2026-05-04"),
  ];
  const today = "2026-05-04";
  const current = currentOf(versions, today);
  expect(current?.id).toBe("now");
  expect(versions.map((each) => stateOf(each, { today, current }))).toEqual([
    "draft",
    "past",
    "scheduled",
    "current",
  ]);
  expect(currentOf([version("next", "2026-06-01")], today)).toBeUndefined();
});
