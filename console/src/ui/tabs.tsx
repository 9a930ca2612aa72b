/** Tabs; the page keeps the chosen one in its address (`useSearchParam`). */
import { Tabs as MantineTabs } from "@mantine/core";
import type { ReactNode } from "react";

export interface Tab<Value extends string> {
  readonly value: Value;
  readonly label: ReactNode;
  /** Made when the tab is shown. */
  readonly content: () => ReactNode;
}

export function Tabs<Value extends string>({
  label,
  tabs,
  value,
  onChange,
}: {
  readonly label: string;
  readonly tabs: readonly Tab<Value>[];
  readonly value: Value;
  readonly onChange: (value: Value) => void;
}): ReactNode {
  return (
    <MantineTabs
      value={value}
      keepMounted={false}
      onChange={(next) => {
        const chosen = tabs.find((tab) => tab.value === next);
        if (chosen !== undefined) onChange(chosen.value);
      }}
    >
      <MantineTabs.List aria-label={label} className="tab-list">
        {tabs.map((tab) => (
          <MantineTabs.Tab key={tab.value} value={tab.value}>
            {tab.label}
          </MantineTabs.Tab>
        ))}
      </MantineTabs.List>
      {tabs.map((tab) => (
        <MantineTabs.Panel key={tab.value} value={tab.value} pt="md">
          {tab.content()}
        </MantineTabs.Panel>
      ))}
    </MantineTabs>
  );
}
