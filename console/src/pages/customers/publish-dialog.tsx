/** A new version of an agreement, in both languages. Once published it is never edited. */
import { useState, type ReactNode } from "react";

import { useAction } from "#console/api/queries.ts";
import { FormDialog } from "#console/components/form-dialog.tsx";
import { fieldError } from "#console/components/problem-box.tsx";
import { useText } from "#console/i18n/index.ts";
import { RadioGroup, Switch, TextArea, TextField } from "#console/ui/fields.tsx";
import { Text } from "#console/ui/text.tsx";

const textMax = 200_000;
const documents = ["service_agreement", "nda"] as const;

export function PublishDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const { t } = useText();
  const [document, setDocument] = useState<(typeof documents)[number]>("service_agreement");
  const [version, setVersion] = useState("");
  const [textEn, setEnglish] = useState("");
  const [textZh, setChinese] = useState("");
  const [required, setRequired] = useState(false);
  const publish = useAction("publishAgreement", { onDone: onClose });
  const request = { body: { document, version: version.trim(), textEn, textZh, required } };
  const isWhole = [version, textEn, textZh].every((text) => text.trim() !== "");
  return (
    <FormDialog
      title={t("selling.publish")}
      onClose={onClose}
      submitLabel={t("selling.publishDo")}
      isBusy={publish.isPending}
      error={publish.error}
      disabledReason={isWhole ? undefined : t("selling.publishIncomplete")}
      call={{ operation: "publishAgreement", request }}
      onSubmit={() => publish.mutate(request)}
      size="lg"
    >
      <Text isMuted>{t("selling.publishText")}</Text>
      <RadioGroup
        label={t("customers.document")}
        value={document}
        onChange={setDocument}
        choices={documents.map((value) => ({ value, label: t(`selling.documentOf.${value}`) }))}
      />
      <TextField
        label={t("selling.version")}
        description={t("selling.versionHelp")}
        value={version}
        onChange={setVersion}
        maxLength={40}
        isCode
        required
        error={fieldError(publish.error, "version")}
      />
      <TextArea
        label={t("selling.textEn")}
        value={textEn}
        onChange={setEnglish}
        maxLength={textMax}
        rows={6}
        required
        error={fieldError(publish.error, "textEn")}
      />
      <TextArea
        label={t("selling.textZh")}
        value={textZh}
        onChange={setChinese}
        maxLength={textMax}
        rows={6}
        required
        error={fieldError(publish.error, "textZh")}
      />
      <Switch
        label={t("selling.requiredLabel")}
        description={t("selling.requiredHelp")}
        isOn={required}
        onChange={setRequired}
      />
    </FormDialog>
  );
}
