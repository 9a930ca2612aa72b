/** A key and a checkpoint that one has from elsewhere: what makes the check worth more. */
import type { ReactNode } from "react";

import { addressOf } from "#console/api/client.ts";
import { useText } from "#console/i18n/index.ts";
import { TextArea, TextField } from "#console/ui/fields.tsx";
import { Stack } from "#console/ui/layout.tsx";
import { Muted } from "#console/ui/text.tsx";

export interface GivenTrust {
  readonly key: string;
  readonly checkpoint: string;
}

const keyCharactersMax = 400;
const checkpointCharactersMax = 4000;

export function TrustFields({
  value,
  onChange,
}: {
  readonly value: GivenTrust;
  readonly onChange: (value: GivenTrust) => void;
}): ReactNode {
  const { t } = useText();
  return (
    <details>
      <summary>{t("verify.trust")}</summary>
      <div style={{ marginTop: "0.75rem" }}>
        <Stack gap="sm">
          <TextField
            label={t("verify.key")}
            description={t("verify.keyHelp")}
            placeholder="millrace/…+33d7b496+AeHT…"
            value={value.key}
            maxLength={keyCharactersMax}
            isCode
            onChange={(key) => onChange({ ...value, key })}
          />
          <TextArea
            label={t("verify.checkpoint")}
            description={t("verify.checkpointHelp")}
            value={value.checkpoint}
            maxLength={checkpointCharactersMax}
            rows={4}
            isCode
            onChange={(checkpoint) => onChange({ ...value, checkpoint })}
          />
          <Muted>
            {t("verify.keepText")}{" "}
            <a
              className="text-link"
              href={addressOf("getLogCheckpoint")}
              download="millrace.checkpoint"
            >
              {t("verify.keep")}
            </a>
          </Muted>
        </Stack>
      </div>
    </details>
  );
}
