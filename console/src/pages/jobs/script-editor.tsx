/**
 * A plain editor for scripts: a text area with the numbers of its lines. Tab leaves it, as it leaves
 * every field; long lines scroll.
 */
import "./jobs.css";
import { useId, useRef, type ReactNode } from "react";

import { FieldFrame } from "#console/ui/field-frame.tsx";

const rowsMin = 10;
const rowsMax = 26;

export function ScriptEditor({
  label,
  description,
  error,
  value,
  onChange,
}: {
  readonly label: string;
  readonly description?: string;
  readonly error?: string | undefined;
  readonly value: string;
  readonly onChange: (value: string) => void;
}): ReactNode {
  const id = useId();
  const gutter = useRef<HTMLPreElement>(null);
  const lines = value.split("\n").length;
  const numbers = Array.from({ length: lines }, (_unused, index) => index + 1).join("\n");
  const described = [
    ...(description === undefined ? [] : [`${id}-description`]),
    ...(error === undefined ? [] : [`${id}-error`]),
  ].join(" ");
  return (
    <FieldFrame id={id} label={label} description={description} error={error} required>
      <div className="script-editor" data-invalid={error !== undefined || undefined}>
        <pre ref={gutter} aria-hidden="true">
          {numbers}
        </pre>
        <textarea
          id={id}
          value={value}
          rows={Math.min(rowsMax, Math.max(rowsMin, lines + 1))}
          wrap="off"
          spellCheck={false}
          autoCapitalize="off"
          autoComplete="off"
          required
          aria-invalid={error !== undefined}
          aria-describedby={described === "" ? undefined : described}
          onChange={(event) => onChange(event.currentTarget.value)}
          onScroll={(event) => {
            if (gutter.current !== null) gutter.current.scrollTop = event.currentTarget.scrollTop;
          }}
        />
      </div>
    </FieldFrame>
  );
}
