/** Fields that one chooses in: lists, switches, boxes. Each has a label; values are strings of a known set. */
import {
  Checkbox as MantineCheckbox,
  MultiSelect as MantineMultiSelect,
  Radio,
  SegmentedControl,
  Select as MantineSelect,
  Switch as MantineSwitch,
} from "@mantine/core";
import type { ReactNode } from "react";

import type { FieldProps } from "./field-props.ts";

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
