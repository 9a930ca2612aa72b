/** What a version of the price profile is on a day: in force, yet to come, over, or a draft. Pure. */
import type { ItemOf } from "#client/types.ts";

export type Version = ItemOf<"listPriceProfiles">;
export type VersionState = "draft" | "scheduled" | "current" | "past";

/** The version in force on a day: of those that have begun, the one that began last. */
export function currentOf(versions: readonly Version[], today: string): Version | undefined {
  return versions
    .filter(({ activeFrom }) => activeFrom !== null && activeFrom <= today)
    .toSorted((a, b) => ((a.activeFrom ?? "") < (b.activeFrom ?? "") ? 1 : -1))[0];
}

export function stateOf(
  version: Pick<Version, "id" | "activeFrom">,
  { today, current }: { readonly today: string; readonly current: Version | undefined },
): VersionState {
  if (version.activeFrom === null) return "draft";
  if (version.activeFrom > today) return "scheduled";
  return version.id === current?.id ? "current" : "past";
}

/** "Default, 3": what a version is called where several stand beside each other. */
export function versionName({ name, version }: Pick<Version, "name" | "version">): string {
  return `${name} · v${version}`;
}
