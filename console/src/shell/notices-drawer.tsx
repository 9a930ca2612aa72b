/** What was said to the tenant. Loaded when it is opened: drawers are no part of the first load. */
import type { ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { useAction } from "#console/api/queries.ts";
import { useMay, useTimeZone } from "#console/api/session.ts";
import { When, withLocalTimes } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Drawer } from "#console/ui/dialog.tsx";
import { Badge } from "#console/ui/feedback.tsx";
import { Row, Stack } from "#console/ui/layout.tsx";
import { TextLink } from "#console/ui/link.tsx";
import { Muted } from "#console/ui/text.tsx";

const tones = { info: "info", warning: "attention", critical: "bad" } as const;

export function NoticesDrawer({
  items,
  isOpen,
  onClose,
}: {
  readonly items: AnswerOf<"listNotices">["items"];
  readonly isOpen: boolean;
  readonly onClose: () => void;
}): ReactNode {
  const { t, language } = useText();
  const timeZone = useTimeZone();
  const may = useMay();
  const read = useAction("readNotice");
  return (
    <Drawer
      isOpen={isOpen}
      onClose={onClose}
      title={t("shell.notices")}
      closeLabel={t("common.close")}
    >
      <Stack>
        {items.length === 0 ? null : (
          <TextLink to="/notices" onClick={onClose}>
            {t("notices.all")}
          </TextLink>
        )}
        {items.length === 0 ? <Muted>{t("shell.noNotices")}</Muted> : null}
        {items.map((notice) => (
          <article key={notice.id} className="card" style={{ padding: "0.75rem" }}>
            <Row justify="space-between">
              <Badge tone={tones[notice.severity]}>{t(`states.severity.${notice.severity}`)}</Badge>
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
  );
}
