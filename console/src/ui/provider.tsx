/** Wraps the page: theme, color scheme (light, dark, as the system), toasts. */
import "./mantine-styles.ts";
import "./base.css";
import "./layout.css";
import "./frame.css";
import "./table.css";
import "./shown.css";
import { MantineProvider, useMantineColorScheme, type CSSVariablesResolver } from "@mantine/core";
import type { ReactNode } from "react";

import { theme } from "./theme.ts";
import { ToastArea } from "./toast.tsx";

/** Muted text must be readable by everybody: Mantine's own is under 4.5 to 1. */
const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-dimmed": "#5c636a",
    "--mantine-color-placeholder": "#6c757d",
    "--mantine-color-error": "#c92a2a",
    "--page-background": "#f6f8f9",
    "--line": "#dfe4e8",
    "--raised": "#ffffff",
  },
  dark: {
    "--mantine-color-dimmed": "#a3abb2",
    "--mantine-color-placeholder": "#8e979f",
    "--mantine-color-error": "#ff8787",
    "--mantine-color-body": "#16191c",
    "--mantine-color-default": "#20252a",
    "--mantine-color-default-border": "#414a52",
    "--page-background": "#121517",
    "--line": "#2c343a",
    "--raised": "#1a1e22",
  },
});

export function UiProvider({ children }: { readonly children: ReactNode }): ReactNode {
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto" cssVariablesResolver={variables}>
      {children}
      <ToastArea />
    </MantineProvider>
  );
}

export type ColorScheme = "light" | "dark" | "auto";

export function useColorScheme(): {
  readonly scheme: ColorScheme;
  readonly setScheme: (scheme: ColorScheme) => void;
} {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return { scheme: colorScheme, setScheme: setColorScheme };
}
