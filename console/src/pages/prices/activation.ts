/** Whether a version may be put in force, in words: one table for all buttons. */
import { useMay } from "#console/api/session.ts";
import { useText } from "#console/i18n/index.ts";

import type { Version } from "./profile-state.ts";

/** Why a version cannot be activated; `undefined` when it can. */
export function useActivationRefusal(
  version: Pick<Version, "activeFrom"> | undefined,
): string | undefined {
  const { t } = useText();
  const may = useMay();
  if (!may("catalog.manage")) return t("prices.mayNot");
  const day = version?.activeFrom ?? undefined;
  return day === undefined ? undefined : t("prices.alreadyActive", { day });
}
