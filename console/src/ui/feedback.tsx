/** What goes on: loading, progress, words that must be seen. */
import {
  Alert,
  Badge as MantineBadge,
  Loader,
  Progress as MantineProgress,
  Skeleton as MantineSkeleton,
} from "@mantine/core";
import type { ReactNode } from "react";

import { Icon, type IconName } from "./icons.tsx";
import { toneColor } from "./text.tsx";
import { colorOfTone, type Tone } from "./theme.ts";

export function Skeleton({
  lines = 3,
  height,
  label,
}: {
  readonly lines?: number;
  /** One block instead of lines. */
  readonly height?: number;
  /** What is being read: said to screen readers. */
  readonly label: string;
}): ReactNode {
  return (
    <div role="status" aria-busy="true" aria-label={label}>
      {height === undefined ? (
        Array.from({ length: lines }, (_unused, index) => (
          <MantineSkeleton
            key={index}
            height={12}
            mt={10}
            width={`${100 - ((index * 17) % 40)}%`}
          />
        ))
      ) : (
        <MantineSkeleton height={height} />
      )}
    </div>
  );
}

export function Spinner({ label }: { readonly label: string }): ReactNode {
  return <Loader size="sm" role="status" aria-label={label} />;
}

export function Progress({
  share,
  label,
  tone = "accent",
}: {
  /** 0 to 1; `undefined` when nobody knows. */
  readonly share: number | undefined;
  readonly label: string;
  readonly tone?: Tone;
}): ReactNode {
  const value = share === undefined ? 100 : Math.round(Math.min(1, Math.max(0, share)) * 100);
  return (
    <MantineProgress.Root size="sm">
      <MantineProgress.Section
        value={value}
        color={colorOfTone[tone]}
        aria-label={label}
        {...(share === undefined
          ? { animated: true, striped: true, "aria-valuenow": undefined }
          : {})}
      />
    </MantineProgress.Root>
  );
}

export function Notice({
  tone,
  title,
  children,
  action,
}: {
  readonly tone: Tone;
  readonly title?: ReactNode;
  readonly children?: ReactNode;
  readonly action?: ReactNode;
}): ReactNode {
  return (
    <Alert
      color={colorOfTone[tone]}
      variant="light"
      className="notice"
      title={title}
      icon={
        <Icon
          name={
            tone === "good" ? "check" : tone === "bad" || tone === "attention" ? "alert" : "info"
          }
        />
      }
      role={tone === "bad" ? "alert" : "note"}
      styles={{
        message: { color: "var(--mantine-color-text)" },
        title: { color: toneColor(tone) },
        icon: { color: toneColor(tone) },
      }}
    >
      {children}
      {action === undefined ? null : <div style={{ marginTop: "0.625rem" }}>{action}</div>}
    </Alert>
  );
}

export function Badge({
  children,
  tone = "quiet",
  icon,
  title,
}: {
  readonly children: ReactNode;
  readonly tone?: Tone;
  readonly icon?: IconName;
  readonly title?: string | undefined;
}): ReactNode {
  return (
    <MantineBadge
      variant="light"
      radius="sm"
      color={colorOfTone[tone]}
      title={title}
      leftSection={icon === undefined ? undefined : <Icon name={icon} size={13} />}
      styles={{
        root: {
          textTransform: "none",
          fontWeight: 500,
          flexShrink: 0,
          verticalAlign: "middle",
          maxWidth: "100%",
          color: toneColor(tone),
        },
      }}
    >
      {children}
    </MantineBadge>
  );
}
