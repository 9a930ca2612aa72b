/**
 * The look: dense and calm, one accent (the green-blue of water under way), system fonts. Colors
 * are named by meaning (`good`, `attention`, `bad`, `quiet`), and a color never says something alone.
 */
import { createTheme, type MantineColorsTuple } from "@mantine/core";

const race: MantineColorsTuple = [
  "#e6f7f9",
  "#d0ebef",
  "#a2d7df",
  "#70c2ce",
  "#49b0c0",
  "#2fa4b7",
  "#1d92a5",
  "#0f7588",
  "#0a6576",
  "#005160",
];

/** Grays of the night with a touch of the accent. */
const dark: MantineColorsTuple = [
  "#d5dade",
  "#bac2c8",
  "#a3abb2",
  "#79838b",
  "#414a52",
  "#333b42",
  "#242a2f",
  "#1a1e22",
  "#14181b",
  "#0f1214",
];

export type Tone = "accent" | "good" | "attention" | "bad" | "quiet" | "info";

export const colorOfTone: Readonly<Record<Tone, string>> = {
  accent: "race",
  good: "green",
  attention: "yellow",
  bad: "red",
  quiet: "gray",
  info: "blue",
};

const fontFamily =
  'system-ui, -apple-system, "Segoe UI", "Noto Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans S Chinese", sans-serif';

export const theme = createTheme({
  primaryColor: "race",
  primaryShade: { light: 7, dark: 7 },
  colors: { race, dark },
  defaultRadius: "sm",
  fontFamily,
  fontFamilyMonospace:
    'ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
  fontSizes: { xs: "0.75rem", sm: "0.8125rem", md: "0.875rem", lg: "1rem", xl: "1.25rem" },
  headings: {
    fontFamily,
    fontWeight: "600",
    sizes: {
      h1: { fontSize: "1.5rem", lineHeight: "1.3" },
      h2: { fontSize: "1.0625rem", lineHeight: "1.4" },
      h3: { fontSize: "0.9375rem", lineHeight: "1.4" },
    },
  },
  spacing: { xs: "0.375rem", sm: "0.625rem", md: "1rem", lg: "1.5rem", xl: "2.25rem" },
  cursorType: "pointer",
  autoContrast: true,
  respectReducedMotion: true,
});
