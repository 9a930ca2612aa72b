/** Where things stand: stacks, rows, grids, cards. Sizes are few, so that pages look alike. */
import { Divider as MantineDivider, Group, SimpleGrid, Stack as MantineStack } from "@mantine/core";
import type { CSSProperties, ReactNode } from "react";

import { Heading } from "./text.tsx";

export type Gap = "xs" | "sm" | "md" | "lg" | "xl" | 0;

interface Children {
  readonly children?: ReactNode;
}

export function Stack({ children, gap = "md" }: Children & { readonly gap?: Gap }): ReactNode {
  return <MantineStack gap={gap}>{children}</MantineStack>;
}

export function Row({
  children,
  gap = "sm",
  justify = "flex-start",
  align = "center",
  wrap = "wrap",
}: Children & {
  readonly gap?: Gap;
  readonly justify?: "flex-start" | "space-between" | "flex-end" | "center";
  readonly align?: "center" | "flex-start" | "flex-end" | "baseline" | "stretch";
  readonly wrap?: "wrap" | "nowrap";
}): ReactNode {
  return (
    <Group gap={gap} justify={justify} align={align} wrap={wrap}>
      {children}
    </Group>
  );
}

/** As many columns as fit, never more than `columns`. */
export function Grid({
  children,
  columns = 3,
  gap = "md",
}: Children & { readonly columns?: 1 | 2 | 3 | 4 | 6; readonly gap?: Gap }): ReactNode {
  const half = Math.ceil(columns / 2);
  return (
    <SimpleGrid cols={{ base: 1, xs: Math.min(half, 2), sm: half, md: columns }} spacing={gap}>
      {children}
    </SimpleGrid>
  );
}

/** The page beside what stays in view; one under the other where it is narrow. */
export function WithAside({
  children,
  aside,
}: Children & { readonly aside: ReactNode }): ReactNode {
  return (
    <div className="with-aside">
      <div style={{ minWidth: 0 }}>{children}</div>
      <aside>{aside}</aside>
    </div>
  );
}

export function Card({
  children,
  title,
  action,
  level = 2,
  padding = "1rem",
}: Children & {
  readonly title?: ReactNode;
  /** Beside the title. */
  readonly action?: ReactNode;
  readonly level?: 2 | 3;
  readonly padding?: CSSProperties["padding"];
}): ReactNode {
  return (
    <section className="card" style={{ padding, minWidth: 0 }}>
      {title === undefined ? null : (
        <div style={{ marginBottom: "0.75rem" }}>
          <Row justify="space-between">
            <Heading level={level}>{title}</Heading>
            {action}
          </Row>
        </div>
      )}
      {children}
    </section>
  );
}

export function Divider({ label }: { readonly label?: string }): ReactNode {
  return label === undefined ? <MantineDivider /> : <MantineDivider label={label} />;
}

/** Names and what they stand for. */
export function Facts({
  rows,
}: {
  readonly rows: readonly (readonly [name: ReactNode, value: ReactNode])[];
}): ReactNode {
  return (
    <dl className="facts">
      {rows.map(([name, value], index) => (
        // oxlint-disable-next-line react/no-array-index-key -- rows are fixed for a page
        <div key={index}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
