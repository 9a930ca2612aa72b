/** Short words about what was done, in a corner; said aloud by screen readers, gone by themselves. */
import { CloseButton, Text } from "@mantine/core";
import { useEffect, useState, type ReactNode } from "react";

import { Icon, type IconName } from "./icons.tsx";
import type { Tone } from "./theme.ts";

interface Toast {
  readonly id: number;
  readonly tone: Tone;
  readonly title: string;
  readonly text?: string | undefined;
  readonly action?: { readonly label: string; readonly run: () => void } | undefined;
}

const shownMs = 6000;
const toastsMax = 4;
const icons: Readonly<Partial<Record<Tone, IconName>>> = {
  good: "check",
  bad: "alert",
  attention: "alert",
};

let nextId = 1;
let toasts: readonly Toast[] = [];
const watchers = new Set<(toasts: readonly Toast[]) => void>();

export function toast(given: Omit<Toast, "id">): void {
  const made = { ...given, id: nextId };
  nextId += 1;
  show([...toasts, made].slice(-toastsMax));
  // What went wrong stays until it is closed.
  if (given.tone !== "bad") setTimeout(() => dismiss(made.id), shownMs);
}

function dismiss(id: number): void {
  show(toasts.filter((each) => each.id !== id));
}

function show(next: readonly Toast[]): void {
  toasts = next;
  for (const watcher of watchers) watcher(next);
}

export function ToastArea(): ReactNode {
  const [shown, setShown] = useState(toasts);
  useEffect(() => {
    watchers.add(setShown);
    return () => void watchers.delete(setShown);
  }, []);
  return (
    <div className="toasts" role="status" aria-live="polite">
      {shown.map((each) => (
        <div key={each.id} className="card toast">
          <Icon name={icons[each.tone] ?? "info"} tone={each.tone} />
          <div style={{ flex: 1, minWidth: 0 }}>
            <Text fw={600} size="sm">
              {each.title}
            </Text>
            {each.text === undefined ? null : <Text size="sm">{each.text}</Text>}
            {each.action === undefined ? null : (
              <button type="button" className="link-button" onClick={each.action.run}>
                {each.action.label}
              </button>
            )}
          </div>
          <CloseButton size="sm" aria-label="×" onClick={() => dismiss(each.id)} />
        </div>
      ))}
    </div>
  );
}
