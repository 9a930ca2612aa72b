/** Nothing here yet: what it would be, one button that changes it, and the same as a command line. */
import type { ReactNode } from "react";

import { LinkButton } from "#console/ui/button.tsx";
import { Icon, type IconName } from "#console/ui/icons.tsx";
import { Stack } from "#console/ui/layout.tsx";
import type { LinkTarget } from "#console/ui/link.tsx";
import { Heading, Muted } from "#console/ui/text.tsx";

import { CopyLine } from "./copy.tsx";

export function EmptyState({
  icon,
  title,
  text,
  action,
  command,
}: {
  readonly icon: IconName;
  readonly title: string;
  readonly text?: string;
  /** A link, or another button. */
  readonly action?: (LinkTarget & { readonly label: string }) | ReactNode;
  readonly command?: string;
}): ReactNode {
  return (
    <div className="card empty">
      <Stack gap="sm">
        <Icon name={icon} size={32} tone="accent" />
        <Heading level={2}>{title}</Heading>
        {text === undefined ? null : <Muted size="md">{text}</Muted>}
        {isTarget(action) ? (
          <div>
            <LinkButton kind="primary" to={action.to} params={action.params} search={action.search}>
              {action.label}
            </LinkButton>
          </div>
        ) : action === undefined ? null : (
          <div>{action}</div>
        )}
        {command === undefined ? null : <CopyLine text={command} />}
      </Stack>
    </div>
  );
}

type Action = LinkTarget & { readonly label: string };

function isTarget(action: Action | ReactNode): action is Action {
  return typeof action === "object" && action !== null && "to" in action && "label" in action;
}
