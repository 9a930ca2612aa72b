import fc from "fast-check";
import { expect, test } from "vitest";

import { ProjectId, TenantId } from "./ids.ts";

test("an id is a uuid in canonical text", () => {
  fc.assert(
    fc.property(fc.uuid(), (uuid) => {
      expect(TenantId.parse(uuid)).toBe(uuid);
      expect(TenantId.parse(uuid.toUpperCase())).toBe(uuid);
      expect(ProjectId.is(uuid)).toBe(true);
    }),
  );
});

test("anything else is refused, with the kind and without the rest of a long text", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(TenantId.is(text)).toBe(false);
    }),
  );
  expect(() => TenantId.parse("'; drop table tenant; --")).toThrow("is not the id of a tenant");
  expect(() => ProjectId.parse("x".repeat(1e6))).toThrow(/^.{0,120}$/);
});
