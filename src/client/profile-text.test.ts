import { expect, test } from "vitest";

import { profileFromText } from "./profile-text.ts";

test("decimals of a YAML file keep their digits, whole numbers stay numbers", () => {
  const text = "payg_hourly:\n  gpu.T4: 5.10\n  cpu.core: '0.5'\nrenewal_grace_days: 30\n";
  expect(profileFromText(text, "new.yaml")).toEqual({
    payg_hourly: { "gpu.T4": "5.10", "cpu.core": "0.5" },
    renewal_grace_days: 30,
  });
  expect(profileFromText('{"a": 0.10}', "new.json")).toEqual({ a: "0.10" });
});

test("what is no profile is refused, and so are endless aliases", () => {
  expect(() => profileFromText("a: [", "x")).toThrow("neither JSON nor YAML");
  expect(() => profileFromText("- 1", "x")).toThrow("is not an object");
  const bomb = `a: &a [1,1,1,1,1,1,1,1,1]\n${"bcdefgh"
    .split("")
    .map((name, at) => `${name}: &${name} [${`*${"abcdefg"[at]},`.repeat(9)}]`)
    .join("\n")}`;
  expect(() => profileFromText(bomb, "x")).toThrow(/alias/i);
});
