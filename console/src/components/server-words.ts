/**
 * What the server says in sentences (why something waits, ended or was refused), in the reader's
 * language where it is known, with instants in the tenant's zone.
 */
import { useCallback } from "react";

import { useTimeZone } from "#console/api/session.ts";
import { told, useText } from "#console/i18n/index.ts";

import { withLocalTimes } from "./when.tsx";

export function useServerWords(): (sentence: string) => string {
  const { language } = useText();
  const timeZone = useTimeZone();
  return useCallback(
    (sentence) => withLocalTimes(told(sentence), { language, timeZone }),
    [language, timeZone],
  );
}
