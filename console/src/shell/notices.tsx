/** What was said to the tenant, in a drawer. */
import { useState, type ReactNode } from "react";

import { useAction, useApi } from "#console/api/queries.ts";
import { When, withLocalTimes } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { Button, IconButton } from "#console/ui/button.tsx";
import { Badge } from "#console/ui/feedback.tsx";
import { Row, Stack } from "#console/ui/layout.tsx";
import { TextLink } from "#console/ui/link.tsx";
import { Drawer } from "#console/ui/overlay.tsx";
import { Muted } from "#console/ui/text.tsx";

import { useMay, useTimeZone } from "#console/api/session.ts";

const tones = { info: "info", warning: "attention", critical: "bad" } as const;

export function NoticesButton(): ReactNode {
  const { t, language } = useText();
  const [isOpen, setOpen] = useState(false);
  const timeZone = useTimeZone();
  const may = useMay();
  const notices = useApi(
    "listNotices",
    { query: { language, limit: 50 } },
    { enabled: may("tenant.read"), everyMs: 60_000 },
  );
  const read = useAction("readNotice");
  const items = notices.data?.items ?? [];
  const fresh = items.filter((notice) => notice.readAt === null).length;
  return (
    <>
      <span className={fresh > 0 ? "has-news" : undefined}>
        <IconButton
          icon="bell"
          label={fresh > 0 ? t("shell.noticesNew", { count: fresh }) : t("shell.notices")}
          onClick={() => setOpen(true)}
        />
      </span>
      <Drawer
        isOpen={isOpen}
        onClose={() => setOpen(false)}
        title={t("shell.notices")}
        closeLabel={t("common.close")}
      >
        <Stack>
          {items.length === 0 ? null : (
            <TextLink to="/notices" onClick={() => setOpen(false)}>
              {t("notices.all")}
            </TextLink>
          )}
          {items.length === 0 ? <Muted>{t("shell.noNotices")}</Muted> : null}
          {items.map((notice) => (
            <article key={notice.id} className="card" style={{ padding: "0.75rem" }}>
              <Row justify="space-between">
                <Badge tone={tones[notice.severity]}>
                  {t(`states.severity.${notice.severity}`)}
                </Badge>
                <Muted>
                  <When at={notice.at} />
                </Muted>
              </Row>
              <p style={{ margin: "0.5rem 0" }}>
                {withLocalTimes(notice.text, { language, timeZone })}
              </p>
              {notice.readAt === null && may("billing.manage") ? (
                <Button
                  size="xs"
                  onClick={() =>
                    read.mutate({ params: { noticeId: notice.id }, query: { language } })
                  }
                >
                  {t("shell.markRead")}
                </Button>
              ) : null}
            </article>
          ))}
        </Stack>
      </Drawer>
    </>
  );
}
