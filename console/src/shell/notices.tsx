/** The bell: how much is new of what was said to the tenant, and the drawer with it. */
import { lazy, Suspense, useState, type ReactNode } from "react";

import { useApi } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import { useText } from "#console/i18n/index.ts";
import { IconButton } from "#console/ui/button.tsx";

const Drawer = lazy(async () => ({
  default: (await import("./notices-drawer.tsx")).NoticesDrawer,
}));

export function NoticesButton(): ReactNode {
  const { t, language } = useText();
  // Once opened it stays, so that it can slide away.
  const [drawer, setDrawer] = useState<"unopened" | "open" | "closed">("unopened");
  const may = useMay();
  const notices = useApi(
    "listNotices",
    { query: { language, limit: 50 } },
    { enabled: may("tenant.read"), everyMs: 60_000 },
  );
  const items = notices.data?.items ?? [];
  const fresh = items.filter((notice) => notice.readAt === null).length;
  return (
    <>
      <span className={fresh > 0 ? "has-news" : undefined}>
        <IconButton
          icon="bell"
          label={fresh > 0 ? t("shell.noticesNew", { count: fresh }) : t("shell.notices")}
          onClick={() => setDrawer("open")}
        />
      </span>
      {drawer === "unopened" ? null : (
        <Suspense>
          <Drawer items={items} isOpen={drawer === "open"} onClose={() => setDrawer("closed")} />
        </Suspense>
      )}
    </>
  );
}
