/** One of several things that are each worth a card: radio buttons, also for who goes by the arrow keys. */
import { useId, type ReactNode } from "react";

export interface CardChoice<Value extends string> {
  readonly value: Value;
  readonly title: ReactNode;
  readonly children?: ReactNode;
  /** Why it cannot be chosen: seen, and said. */
  readonly disabledReason?: string | undefined;
}

export function ChoiceCards<Value extends string>({
  label,
  choices,
  value,
  onChange,
}: {
  /** Said to screen readers. */
  readonly label: string;
  readonly choices: readonly CardChoice<Value>[];
  readonly value: Value | undefined;
  readonly onChange: (value: Value) => void;
}): ReactNode {
  const name = useId();
  return (
    <div className="choices" role="radiogroup" aria-label={label}>
      {choices.map((choice) => (
        <label
          key={choice.value}
          className="card choice"
          data-chosen={choice.value === value}
          data-off={choice.disabledReason !== undefined}
        >
          <input
            type="radio"
            name={name}
            value={choice.value}
            checked={choice.value === value}
            disabled={choice.disabledReason !== undefined}
            onChange={() => onChange(choice.value)}
          />
          <span className="choice-body">
            <strong>{choice.title}</strong>
            {choice.children}
            {choice.disabledReason === undefined ? null : <small>{choice.disabledReason}</small>}
          </span>
        </label>
      ))}
    </div>
  );
}
