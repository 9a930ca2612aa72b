/** A bundle from a file: dropped, or chosen by a button. It does not leave the browser. */
import { useRef, useState, type ReactNode } from "react";

import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Row } from "#console/ui/layout.tsx";
import { Muted } from "#console/ui/text.tsx";

export function BundleDrop({
  onFile,
  isBusy,
}: {
  readonly onFile: (file: File) => void;
  readonly isBusy: boolean;
}): ReactNode {
  const { t } = useText();
  const input = useRef<HTMLInputElement>(null);
  const [isOver, setOver] = useState(false);
  return (
    // oxlint-disable-next-line jsx-a11y/no-static-element-interactions -- the button does the same
    <div
      style={{
        border: `1px dashed ${isOver ? "var(--mantine-primary-color-filled)" : "var(--line)"}`,
        borderRadius: 8,
        padding: "0.875rem",
      }}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        const [file] = event.dataTransfer.files;
        if (file !== undefined && !isBusy) onFile(file);
      }}
    >
      <Row>
        <Button
          icon="upload"
          onClick={() => input.current?.click()}
          disabledReason={isBusy ? t("verify.busy") : undefined}
        >
          {t("verify.chooseFile")}
        </Button>
        <Muted>{t("verify.drop")}</Muted>
      </Row>
      <input
        ref={input}
        type="file"
        hidden
        aria-label={t("verify.chooseFile")}
        accept=".bundle,.jsonl,.txt"
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          // The same file may be chosen again.
          event.currentTarget.value = "";
          if (file !== undefined) onFile(file);
        }}
      />
    </div>
  );
}
