/** Menus: what lies over the page for a moment. Focus goes in and comes back. */
import { Menu as MantineMenu } from "@mantine/core";
import type { ReactElement, ReactNode } from "react";

import { Icon, type IconName } from "./icons.tsx";
import { Link, type LinkTarget } from "./link.tsx";

export type MenuEntry =
  | {
      readonly kind: "action";
      readonly label: ReactNode;
      readonly icon?: IconName;
      readonly isDangerous?: boolean;
      readonly isCurrent?: boolean;
      readonly disabledReason?: string | undefined;
      readonly run: () => void;
    }
  | ({ readonly kind: "link"; readonly label: ReactNode; readonly icon?: IconName } & LinkTarget)
  | { readonly kind: "label"; readonly label: ReactNode }
  | { readonly kind: "divider" };

export function Menu({
  trigger,
  entries,
  width = 240,
}: {
  /** A button. */
  readonly trigger: ReactElement;
  readonly entries: readonly MenuEntry[];
  readonly width?: number;
}): ReactNode {
  return (
    <MantineMenu width={width} shadow="md" position="bottom-end" withinPortal>
      <MantineMenu.Target>{trigger}</MantineMenu.Target>
      <MantineMenu.Dropdown mah="70vh" style={{ overflowY: "auto" }}>
        {entries.map((entry, index) => (
          // oxlint-disable-next-line react/no-array-index-key -- entries have no identity of their own
          <MenuRow key={index} entry={entry} />
        ))}
      </MantineMenu.Dropdown>
    </MantineMenu>
  );
}

function MenuRow({ entry }: { readonly entry: MenuEntry }): ReactNode {
  if (entry.kind === "divider") return <MantineMenu.Divider />;
  if (entry.kind === "label") return <MantineMenu.Label>{entry.label}</MantineMenu.Label>;
  const left = entry.icon === undefined ? undefined : <Icon name={entry.icon} size={16} />;
  if (entry.kind === "link") {
    const { to, params, search, hash } = entry;
    return (
      <MantineMenu.Item
        leftSection={left}
        renderRoot={(props) => <Link {...props} {...{ to, params, search, hash }} />}
      >
        {entry.label}
      </MantineMenu.Item>
    );
  }
  const { disabledReason } = entry;
  return (
    <MantineMenu.Item
      leftSection={left}
      rightSection={entry.isCurrent === true ? <Icon name="check" size={16} /> : undefined}
      {...(entry.isDangerous === true ? { color: "red" } : {})}
      {...(disabledReason === undefined
        ? { onClick: entry.run }
        : {
            "data-disabled": true,
            "aria-disabled": true,
            closeMenuOnClick: false,
            "aria-description": disabledReason,
          })}
    >
      {entry.label}
      {disabledReason === undefined ? null : (
        <small style={{ display: "block" }}>{disabledReason}</small>
      )}
    </MantineMenu.Item>
  );
}
