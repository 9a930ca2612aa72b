/**
 * Fields of forms. Each has a label that is seen, a description beside it where a number or a rule
 * helps, and its error under it, tied to it for screen readers. Values are strings; who needs a
 * number parses it.
 */
import {
  Checkbox as MantineCheckbox,
  MultiSelect as MantineMultiSelect,
  NumberInput,
  PasswordInput,
  Radio,
  SegmentedControl,
  Select as MantineSelect,
  Switch as MantineSwitch,
  Textarea,
  TextInput,
} from "@mantine/core";
import type { KeyboardEventHandler, ReactNode } from "react";

import { Icon } from "./icons.tsx";

export interface FieldProps {
  readonly label: ReactNode;
  readonly description?: ReactNode;
  readonly error?: string | undefined;
  readonly required?: boolean;
  readonly disabled?: boolean;
  readonly name?: string;
}

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

export function SearchField({
  label,
  value,
  onChange,
  placeholder,
}: {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly placeholder?: string;
}): ReactNode {
  return (
    <TextInput
      type="search"
      size="sm"
      aria-label={label}
      placeholder={placeholder ?? label}
      value={value}
      maxLength={200}
      leftSection={<Icon name="search" size={16} />}
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

export interface Choice<Value extends string = string> {
  readonly value: Value;
  readonly label: string;
  readonly disabled?: boolean;
}

export function Select<Value extends string>({
  choices,
  value,
  onChange,
  isClearable = false,
  isSearchable = false,
  placeholder,
  nothingFound,
  ...rest
}: FieldProps & {
  readonly choices: readonly Choice<Value>[];
  readonly value: Value | undefined;
  readonly onChange: (value: Value | undefined) => void;
  readonly isClearable?: boolean;
  readonly isSearchable?: boolean;
  readonly placeholder?: string;
  readonly nothingFound?: string;
}): ReactNode {
  return (
    <MantineSelect
      {...rest}
      {...(placeholder === undefined ? {} : { placeholder })}
      data={choices.map((choice) => ({ ...choice }))}
      value={value ?? null}
      clearable={isClearable}
      searchable={isSearchable}
      nothingFoundMessage={nothingFound ?? "—"}
      allowDeselect={isClearable}
      checkIconPosition="right"
      comboboxProps={{ shadow: "md" }}
      onChange={(next) => onChange(choices.find((choice) => choice.value === next)?.value)}
    />
  );
}

export function MultiSelect({
  choices,
  value,
  onChange,
  placeholder,
  ...rest
}: FieldProps & {
  readonly choices: readonly Choice[];
  readonly value: readonly string[];
  readonly onChange: (value: readonly string[]) => void;
  readonly placeholder?: string;
}): ReactNode {
  return (
    <MantineMultiSelect
      {...rest}
      {...(placeholder === undefined ? {} : { placeholder })}
      data={choices.map((choice) => ({ ...choice }))}
      value={[...value]}
      searchable
      onChange={onChange}
    />
  );
}

export function Switch({
  label,
  description,
  isOn,
  onChange,
  disabled = false,
}: Omit<FieldProps, "required"> & {
  readonly isOn: boolean;
  readonly onChange: (isOn: boolean) => void;
}): ReactNode {
  return (
    <MantineSwitch
      label={label}
      description={description}
      disabled={disabled}
      checked={isOn}
      onChange={(event) => onChange(event.currentTarget.checked)}
    />
  );
}

export function Checkbox({
  label,
  ariaLabel,
  isOn,
  isPartly = false,
  onChange,
  disabled = false,
}: {
  readonly label?: ReactNode;
  readonly ariaLabel?: string;
  readonly isOn: boolean;
  readonly isPartly?: boolean;
  readonly onChange: (isOn: boolean) => void;
  readonly disabled?: boolean;
}): ReactNode {
  return (
    <MantineCheckbox
      size="xs"
      label={label}
      aria-label={ariaLabel}
      checked={isOn}
      indeterminate={isPartly}
      disabled={disabled}
      onChange={(event) => onChange(event.currentTarget.checked)}
    />
  );
}

/** A few choices that are all seen. */
export function Segments<Value extends string>({
  label,
  choices,
  value,
  onChange,
  fullWidth = false,
}: {
  /** Said to screen readers. */
  readonly label: string;
  readonly choices: readonly Choice<Value>[];
  readonly value: Value;
  readonly onChange: (value: Value) => void;
  readonly fullWidth?: boolean;
}): ReactNode {
  return (
    <SegmentedControl
      aria-label={label}
      size="xs"
      fullWidth={fullWidth}
      data={choices.map((choice) => ({ ...choice }))}
      value={value}
      onChange={(next) => {
        const chosen = choices.find((choice) => choice.value === next);
        if (chosen !== undefined) onChange(chosen.value);
      }}
    />
  );
}

export function RadioGroup<Value extends string>({
  choices,
  value,
  onChange,
  label,
  description,
  error,
}: FieldProps & {
  readonly choices: readonly (Choice<Value> & { readonly description?: ReactNode })[];
  readonly value: Value | undefined;
  readonly onChange: (value: Value) => void;
}): ReactNode {
  return (
    <Radio.Group
      label={label}
      description={description}
      error={error}
      value={value ?? null}
      onChange={(next) => {
        const chosen = choices.find((choice) => choice.value === next);
        if (chosen !== undefined) onChange(chosen.value);
      }}
    >
      <div style={{ display: "grid", gap: "0.5rem", marginTop: "0.5rem" }}>
        {choices.map((choice) => (
          <Radio
            key={choice.value}
            value={choice.value}
            label={choice.label}
            description={choice.description}
            disabled={choice.disabled ?? false}
          />
        ))}
      </div>
    </Radio.Group>
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
