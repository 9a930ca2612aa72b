/**
 * Fields of forms. Each has a label that is seen, a description beside it where a number or a rule
 * helps, and its error under it, tied to it for screen readers. Values are strings; who needs a
 * number parses it. Those that one chooses in are in choices.tsx.
 */
import { NumberInput, PasswordInput, Textarea, TextInput } from "@mantine/core";
import type { KeyboardEventHandler, ReactNode } from "react";

import type { FieldProps } from "./field-props.ts";

export { Checkbox, MultiSelect, RadioGroup, Segments, Select, Switch } from "./choices.tsx";

interface TextProps extends FieldProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly placeholder?: string;
  readonly maxLength?: number;
  readonly autoComplete?: string;
  readonly autoFocus?: boolean;
  readonly isCode?: boolean;
  readonly onKeyDown?: KeyboardEventHandler<HTMLInputElement>;
}

const mono = { input: { fontFamily: "var(--mantine-font-family-monospace)" } };

export function TextField({
  onChange,
  isCode = false,
  autoFocus = false,
  ...rest
}: TextProps): ReactNode {
  return (
    <TextInput
      {...rest}
      {...(autoFocus ? { "data-autofocus": true, autoFocus: true } : {})}
      {...(isCode ? { styles: mono, spellCheck: false, autoCapitalize: "off" } : {})}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

export function PasswordField({
  onChange,
  autoFocus = false,
  ...rest
}: Omit<TextProps, "isCode" | "onKeyDown"> & { readonly revealLabel: string }): ReactNode {
  const { revealLabel, ...props } = rest;
  return (
    <PasswordInput
      {...props}
      {...(autoFocus ? { autoFocus: true } : {})}
      visibilityToggleButtonProps={{ "aria-label": revealLabel }}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

export function TextArea({
  onChange,
  isCode = false,
  rows = 4,
  rowsMax,
  ...rest
}: Omit<TextProps, "autoFocus" | "onKeyDown"> & {
  readonly rows?: number;
  readonly rowsMax?: number;
}): ReactNode {
  return (
    <Textarea
      {...rest}
      autosize
      minRows={rows}
      maxRows={rowsMax ?? Math.max(rows, 16)}
      {...(isCode ? { styles: mono, spellCheck: false } : {})}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

/** `undefined` while it is empty. */
export function NumberField({
  onChange,
  value,
  min,
  max,
  step,
  suffix,
  ...rest
}: FieldProps & {
  readonly value: number | undefined;
  readonly onChange: (value: number | undefined) => void;
  readonly min?: number;
  readonly max?: number;
  readonly step?: number;
  readonly suffix?: string;
}): ReactNode {
  return (
    <NumberInput
      {...rest}
      value={value ?? ""}
      {...(min === undefined ? {} : { min })}
      {...(max === undefined ? {} : { max })}
      {...(step === undefined ? {} : { step })}
      {...(suffix === undefined ? {} : { suffix })}
      allowDecimal={false}
      clampBehavior="none"
      onChange={(next) => onChange(typeof next === "number" ? next : undefined)}
    />
  );
}

/** Calendar days as YYYY-MM-DD, months as YYYY-MM, chosen with the browser's own calendar. */
export function DateField({
  kind = "date",
  onChange,
  min,
  max,
  ...rest
}: FieldProps & {
  readonly kind?: "date" | "month" | "datetime-local";
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly min?: string;
  readonly max?: string;
}): ReactNode {
  return (
    <TextInput
      {...rest}
      type={kind}
      {...(min === undefined ? {} : { min })}
      {...(max === undefined ? {} : { max })}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}
