/** Words: headings, text, code. A page has one heading of level 1, which its PageHead gives it. */
import { Code as MantineCode, Text as MantineText, Title, VisuallyHidden } from "@mantine/core";
import type { ReactNode } from "react";

import { colorOfTone, type Tone } from "./theme.ts";

interface Children {
  readonly children?: ReactNode;
}

export function Heading({
  children,
  level,
  id,
}: Children & { readonly level: 1 | 2 | 3 | 4; readonly id?: string }): ReactNode {
  return (
    <Title
      order={level}
      {...(id === undefined ? {} : { id })}
      {...(level === 1 ? { tabIndex: -1 } : {})}
    >
      {children}
    </Title>
  );
}

export function Text({
  children,
  size = "md",
  tone,
  isStrong = false,
  isMuted = false,
  isClipped = false,
}: Children & {
  readonly size?: "xs" | "sm" | "md" | "lg" | "xl";
  readonly tone?: Tone;
  readonly isStrong?: boolean;
  readonly isMuted?: boolean;
  /** On one line, cut with an ellipsis; the whole stands in the title of what surrounds it. */
  readonly isClipped?: boolean;
}): ReactNode {
  const color = tone === undefined ? undefined : toneColor(tone);
  return (
    <MantineText
      component="div"
      size={size}
      truncate={isClipped}
      {...(isStrong ? { fw: 600 } : {})}
      {...(isMuted ? { c: "dimmed" } : color === undefined ? {} : { c: color })}
    >
      {children}
    </MantineText>
  );
}

export function Muted({
  children,
  size = "sm",
}: Children & { readonly size?: "xs" | "sm" | "md" }): ReactNode {
  return (
    <MantineText component="span" size={size} c="dimmed">
      {children}
    </MantineText>
  );
}

/** A figure that a card is about. */
export function Figure({ children, label }: Children & { readonly label: ReactNode }): ReactNode {
  return (
    <div>
      <MantineText size="sm" c="dimmed" component="div">
        {label}
      </MantineText>
      <MantineText size="xl" fw={600} className="tabular" component="div">
        {children}
      </MantineText>
    </div>
  );
}

export function Code({ children }: Children): ReactNode {
  return <MantineCode>{children}</MantineCode>;
}

export function OnlyRead({ children }: Children): ReactNode {
  return <VisuallyHidden>{children}</VisuallyHidden>;
}

export function toneColor(tone: Tone): string {
  const color = colorOfTone[tone];
  // Mantine's darkest is still too light for small words on a tint of itself.
  const night = `var(--mantine-color-${color}-4)`;
  return `light-dark(color-mix(in srgb, var(--mantine-color-${color}-9) 72%, black), ${night})`;
}
