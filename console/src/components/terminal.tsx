/** A machine's serial console in the page. xterm.js is loaded when one is opened. */
import { lazy, Suspense, type ReactNode } from "react";

import { useText } from "#console/i18n/index.ts";
import { Skeleton } from "#console/ui/feedback.tsx";

const Screen = lazy(async () => ({
  default: (await import("./terminal-screen.tsx")).TerminalScreen,
}));

export function Terminal({ path }: { /** Of the WebSocket. */ readonly path: string }): ReactNode {
  const { t } = useText();
  return (
    <Suspense fallback={<Skeleton height={420} label={t("common.loading")} />}>
      <Screen key={path} path={path} />
    </Suspense>
  );
}
