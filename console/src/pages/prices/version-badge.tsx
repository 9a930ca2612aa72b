/** Whether a version is in force, to come, over, or a draft: a word and an icon. */
import type { ReactNode } from "react";

import { useText } from "#console/i18n/index.ts";
import { Badge } from "#console/ui/feedback.tsx";

import type { VersionState } from "./profile-state.ts";

const looks = {
  draft: ["info", "edit"],
  scheduled: ["attention", "clock"],
  current: ["good", "check"],
  past: ["quiet", "minus"],
} as const;

export function VersionBadge({ state }: { readonly state: VersionState }): ReactNode {
  const { t } = useText();
  const [tone, icon] = looks[state];
  return (
    <Badge tone={tone} icon={icon}>
      {t(`prices.stateOf.${state}`)}
    </Badge>
  );
}
