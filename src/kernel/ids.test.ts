import fc from "fast-check";
import { expect, test } from "vitest";

import { InstanceId, ProjectId, RequestId, TenantId } from "./ids.ts";

test("an id is a uuid in canonical text", () => {
  fc.assert(
    fc.property(fc.uuid(), (uuid) => {
      expect(TenantId.parse(uuid)).toBe(uuid);
      expect(TenantId.parse(uuid.toUpperCase())).toBe(uuid);
      expect(ProjectId.is(uuid)).toBe(true);
    }),
  );
});

test("each kind is a type of its own", () => {
  const uuid = "0197a0a0-0000-7000-8000-000000000001";
  expect(tenantOf(TenantId.parse(uuid))).toBe(uuid);
  // @ts-expect-error -- a project's id is not a tenant's
  expect(tenantOf(ProjectId.parse(uuid))).toBe(uuid);
  const others: readonly (ProjectId | RequestId | InstanceId)[] = [
    ProjectId.parse(uuid),
    RequestId.parse(uuid),
    InstanceId.parse(uuid),
  ];
  expect(new Set<string>(others).size).toBe(1);
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

function tenantOf(id: TenantId): string {
  return id;
}
