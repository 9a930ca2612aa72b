/**
 * The head of a page: its one heading of level 1, the title of the window, and where the focus goes
 * after a navigation, so that a screen reader says where one is.
 */
import { useEffect, useRef, type ReactNode } from "react";

import { useText } from "#console/i18n/index.ts";
import { Row } from "#console/ui/layout.tsx";
import { TextLink, type LinkTarget } from "#console/ui/link.tsx";
import { Heading, Muted } from "#console/ui/text.tsx";

/** The first page of a visit keeps the focus where the browser has it. */
let focusedPath: string | undefined;

export function PageHead({
  title,
  lead,
  actions,
  parent,
  badge,
}: {
  readonly title: string;
  readonly lead?: ReactNode;
  readonly actions?: ReactNode;
  /** The page above this one. */
  readonly parent?: LinkTarget & { readonly label: string };
  /** Beside the title: a state. */
  readonly badge?: ReactNode;
}): ReactNode {
  const { t } = useText();
  const head = useRef<HTMLDivElement>(null);
  useEffect(() => {
    document.title = `${title} · ${t("shell.product")}`;
  }, [title, t]);
  useEffect(() => {
    const before = focusedPath;
    focusedPath = location.pathname;
    if (before !== undefined && before !== location.pathname) {
      head.current?.querySelector("h1")?.focus({ preventScroll: true });
    }
  }, []);
  return (
    <div ref={head} className="page-head">
      {parent === undefined ? null : (
        <div className="page-parent">
          <TextLink to={parent.to} params={parent.params} search={parent.search}>
            ← {parent.label}
          </TextLink>
        </div>
      )}
      <Row justify="space-between" align="flex-start">
        <div style={{ minWidth: 0 }}>
          <Row gap="sm">
            <Heading level={1}>{title}</Heading>
            {badge}
          </Row>
          {lead === undefined ? null : <Muted size="md">{lead}</Muted>}
        </div>
        {actions === undefined ? null : <Row gap="xs">{actions}</Row>}
      </Row>
    </div>
  );
}
