import { expect, test } from "vitest";

import { keyComment } from "./ssh-key.ts";

test("a key is named by what stands behind it", () => {
  expect(keyComment("ssh-ed25519 AAAA li@laptop\n")).toBe("li@laptop");
  expect(keyComment("ssh-rsa  AAAA  Li  at work")).toBe("Li at work");
  expect(keyComment("ssh-ed25519 AAAA")).toBe("");
  expect(keyComment("")).toBe("");
  expect(keyComment(`ssh-rsa AAAA ${"x".repeat(300)}`)).toHaveLength(100);
});
