/** The label, the help and the error around a field that is none of the library's. */
import { Input } from "@mantine/core";
import type { ReactElement } from "react";

import type { FieldProps } from "./field-props.ts";

export function FieldFrame({
  id,
  label,
  description,
  error,
  required = false,
  children,
}: Pick<FieldProps, "label" | "description" | "error" | "required"> & {
  /** Of the field in it. */
  readonly id: string;
  readonly children: ReactElement;
}): ReactElement {
  return (
    <Input.Wrapper
      id={id}
      label={label}
      description={description}
      error={error}
      required={required}
      descriptionProps={{ id: `${id}-description` }}
      errorProps={{ id: `${id}-error` }}
    >
      {children}
    </Input.Wrapper>
  );
}
