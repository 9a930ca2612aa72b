/** A limit of the queue in a line: what may be held at one time, and used in a month. */
import type { AnswerOf } from "#client/types.ts";

import { moneyText } from "#console/components/money.tsx";
import type { Translate } from "#console/i18n/index.ts";

export type QueueLimit = AnswerOf<"listLimits">["limits"][number];

export function limitText(limit: QueueLimit, t: Translate): string {
  const of =
    limit.gpuModel === null
      ? t("account.limits.allGpus")
      : limit.gpuModel === "cpu"
        ? t("account.limits.cpu")
        : `GPU ${limit.gpuModel}`;
  const parts = [
    limit.gpusMax === null ? undefined : t("account.limits.held", { count: limit.gpusMax }),
    limit.gpuHoursPerMonth === null
      ? undefined
      : t("account.limits.hours", { count: limit.gpuHoursPerMonth }),
    limit.moneyPerMonth === null
      ? undefined
      : t("account.limits.money", { amount: moneyText(limit.moneyPerMonth) }),
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? of : `${of}: ${parts.join(", ")}`;
}
