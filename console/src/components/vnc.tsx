/** The screen of a machine that has one. noVNC is loaded when one is opened. */
import { lazy, Suspense, type ReactNode } from "react";

import { useText } from "#console/i18n/index.ts";
import { Skeleton } from "#console/ui/feedback.tsx";

const Screen = lazy(async () => ({ default: (await import("./vnc-screen.tsx")).VncScreen }));

export function Vnc({ path }: { /** Of the WebSocket. */ readonly path: string }): ReactNode {
  const { t } = useText();
  return (
    <Suspense fallback={<Skeleton height={480} label={t("common.loading")} />}>
      <Screen key={path} path={path} />
    </Suspense>
  );
}
