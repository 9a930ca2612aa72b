/**
 * Buttons. One that cannot be pressed says why: it stays in the tab order, and the reason is its
 * description and tooltip (`disabledReason`); it is never merely gray.
 */
import { ActionIcon, Button as MantineButton, Tooltip } from "@mantine/core";
import type { MouseEventHandler, ReactNode } from "react";

import { Icon, type IconName } from "./icons.tsx";
import { Link, type LinkTarget } from "./link.tsx";
import { colorOfTone, type Tone } from "./theme.ts";

export type ButtonKind = "primary" | "plain" | "quiet" | "danger";

interface Looks {
  readonly kind?: ButtonKind;
  readonly size?: "xs" | "sm" | "md";
  readonly icon?: IconName | undefined;
  readonly fullWidth?: boolean;
}

export interface ButtonProps extends Looks {
  readonly children: ReactNode;
  readonly onClick?: MouseEventHandler<HTMLButtonElement> | undefined;
  readonly type?: "button" | "submit";
  /** Why it cannot be pressed now. */
  readonly disabledReason?: string | undefined;
  /** What it asked for is under way. */
  readonly isBusy?: boolean;
  readonly describedBy?: string;
}

const looks = {
  primary: { variant: "filled", color: colorOfTone.accent },
  plain: { variant: "default", color: colorOfTone.quiet },
  quiet: { variant: "subtle", color: colorOfTone.accent },
  danger: { variant: "filled", color: "red.8" },
} as const;

export function Button({
  children,
  kind = "plain",
  size = "sm",
  icon,
  fullWidth = false,
  onClick,
  type = "button",
  disabledReason,
  isBusy = false,
  describedBy,
  ...rest
}: ButtonProps): ReactNode {
  const off = disabledReason !== undefined;
  const button = (
    <MantineButton
      {...rest}
      {...looks[kind]}
      size={size}
      type={type}
      fullWidth={fullWidth}
      loading={isBusy}
      leftSection={icon === undefined ? undefined : <Icon name={icon} size={16} />}
      onClick={off ? (event) => event.preventDefault() : onClick}
      aria-busy={isBusy}
      aria-describedby={describedBy}
      {...(off
        ? { "data-disabled": true, "aria-disabled": true, "aria-description": disabledReason }
        : {})}
    >
      {children}
    </MantineButton>
  );
  return off ? (
    <Tooltip label={disabledReason} multiline maw={320} events={tooltipEvents}>
      {button}
    </Tooltip>
  ) : (
    button
  );
}

/** A link that looks like a button: for going somewhere, never for doing something. */
export function LinkButton({
  children,
  kind = "plain",
  size = "sm",
  icon,
  fullWidth = false,
  ...target
}: Looks & LinkTarget & { readonly children: ReactNode }): ReactNode {
  return (
    <MantineButton
      {...looks[kind]}
      size={size}
      fullWidth={fullWidth}
      leftSection={icon === undefined ? undefined : <Icon name={icon} size={16} />}
      renderRoot={(props) => <Link {...props} {...target} />}
    >
      {children}
    </MantineButton>
  );
}

export interface IconButtonProps {
  readonly icon: IconName;
  /** What it does: its name for everybody who does not see it, and its tooltip. */
  readonly label: string;
  readonly onClick?: MouseEventHandler<HTMLButtonElement> | undefined;
  readonly disabledReason?: string | undefined;
  readonly tone?: Tone;
  readonly size?: "sm" | "md" | "lg";
  readonly isBusy?: boolean;
}

export function IconButton({
  icon,
  label,
  onClick,
  disabledReason,
  tone = "quiet",
  size = "md",
  isBusy = false,
  ...rest
}: IconButtonProps): ReactNode {
  const off = disabledReason !== undefined;
  return (
    <Tooltip
      label={off ? `${label}: ${disabledReason}` : label}
      multiline
      maw={320}
      events={tooltipEvents}
    >
      <ActionIcon
        {...rest}
        variant="subtle"
        color={colorOfTone[tone]}
        {...(tone === "quiet" ? { c: "var(--mantine-color-text)" } : {})}
        size={{ sm: 26, md: 32, lg: 38 }[size]}
        loading={isBusy}
        aria-label={label}
        onClick={off ? (event) => event.preventDefault() : onClick}
        {...(off
          ? { "data-disabled": true, "aria-disabled": true, "aria-description": disabledReason }
          : {})}
      >
        <Icon name={icon} size={size === "sm" ? 15 : 18} />
      </ActionIcon>
    </Tooltip>
  );
}

/** Also for who goes by keyboard or by touch. */
const tooltipEvents = { hover: true, focus: true, touch: true } as const;
