/** A statement or an invoice as a file: in four formats, in either language. */
import { useState, type ReactNode } from "react";
import type { RequestOf } from "#client/types.ts";

import { DownloadButton } from "#console/components/download.tsx";
import { languageNames, languages, useText, type Language } from "#console/i18n/index.ts";
import { Segments } from "#console/ui/fields.tsx";
import { Row } from "#console/ui/layout.tsx";

const formats = ["pdf", "xlsx", "csv", "text"] as const;
type Format = (typeof formats)[number];
const endings = { pdf: "pdf", xlsx: "xlsx", csv: "csv", text: "txt" } as const;

type Exported = "exportStatement" | "exportInvoice";

export function ExportButtons<Id extends Exported>({
  name,
  operation,
  requestFor,
}: {
  /** Of the file, without its ending. */
  readonly name: string;
  readonly operation: Id;
  readonly requestFor: (format: Format, language: Language) => RequestOf<Id>;
}): ReactNode {
  const { t, language } = useText();
  const [chosen, setChosen] = useState<Language>();
  const written = chosen ?? language;
  return (
    <Row gap="xs">
      <Segments
        label={t("statements.fileLanguage")}
        choices={languages.map((value) => ({ value, label: languageNames[value] }))}
        value={written}
        onChange={setChosen}
      />
      {formats.map((format) => (
        <DownloadButton
          key={format}
          label={t(`statements.format.${format}`)}
          fileName={`millrace-${name}.${endings[format]}`}
          operation={operation}
          request={requestFor(format, written)}
        />
      ))}
    </Row>
  );
}
