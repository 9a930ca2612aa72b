/** What to know of an instance besides its state: a restart that is due, that it cannot move, and so on. */
import type { ReactNode } from "react";

import { Advice } from "#console/components/advice.tsx";
import { useServerWords } from "#console/components/server-words.ts";
import { useText } from "#console/i18n/index.ts";
import { Notice } from "#console/ui/feedback.tsx";
import { Stack } from "#console/ui/layout.tsx";
import { Text } from "#console/ui/text.tsx";

import type { Lease } from "./actions.ts";

export function LeaseNotes({ lease: { notes } }: { readonly lease: Lease }): ReactNode {
  const { t } = useText();
  const told = useServerWords();
  if (notes.length === 0) return null;
  const mustAct = notes.some(({ who }) => who === "customer");
  return (
    <Notice tone={mustAct ? "attention" : "info"} title={t("lease.notes")}>
      <Stack gap="xs">
        {notes.map((note) => (
          <div key={note.code}>
            <Text>{told(note.message)}</Text> <Advice of={note} />
          </div>
        ))}
      </Stack>
    </Notice>
  );
}
