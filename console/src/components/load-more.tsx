/** How many are shown, and the next page: by itself when one comes near the end, else by a button. */
import { useEffect, useRef, type ReactNode } from "react";

import type { Pages } from "#console/api/queries.ts";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Row } from "#console/ui/layout.tsx";
import { Muted } from "#console/ui/text.tsx";

export function LoadMore<Item>({ pages }: { readonly pages: Pages<Item> }): ReactNode {
  const { t } = useText();
  const end = useRef<HTMLDivElement>(null);
  const more = useRef(pages.loadMore);
  more.current = pages.loadMore;
  const count = pages.items.length;
  useEffect(() => {
    const element = end.current;
    if (element === null || !pages.hasMore) return undefined;
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) more.current();
      },
      { rootMargin: "600px" },
    );
    observer.observe(element);
    return () => observer.disconnect();
    // Observed anew after each page: it may still be in view.
  }, [pages.hasMore, count]);
  return (
    <div ref={end}>
      <Row justify="space-between">
        <Muted>
          {pages.hasMore
            ? t("common.table.shownMore", { count })
            : t("common.table.shown", { count })}
        </Muted>
        {pages.hasMore ? (
          <Button size="xs" onClick={pages.loadMore} isBusy={pages.isLoadingMore}>
            {t("common.table.loadMore")}
          </Button>
        ) : null}
      </Row>
    </div>
  );
}
