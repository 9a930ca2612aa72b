/**
 * A statement in the forms that people and spreadsheets read. What writes PDF and XLSX is loaded when
 * somebody first asks for one: a server that nobody asks stays some 10 MB smaller.
 */
import type { Bytes } from "#api/handler.ts";
import { statementCsv } from "#flow/invoice/csv.ts";
import type { Statement } from "#flow/invoice/decide.ts";
import type { PdfAsk } from "#flow/invoice/pdf.ts";
import { statementText } from "#flow/invoice/text.ts";

type Format = "csv" | "text" | "xlsx" | "pdf";

const contentTypes: Readonly<Record<Format, string>> = {
  csv: "text/csv; charset=utf-8",
  text: "text/plain; charset=utf-8",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  pdf: "application/pdf",
};

export interface DocumentAsk extends PdfAsk {
  readonly format: Format;
  /** Without its ending. */
  readonly name: string;
}

export async function documentBytes(ask: DocumentAsk): Promise<Bytes> {
  const body = await written(ask);
  return {
    contentType: contentTypes[ask.format],
    body,
    contentLength: body.byteLength,
    ...(ask.format === "text" ? {} : { fileName: `${ask.name}.${ask.format}` }),
  };
}

async function written(ask: DocumentAsk): Promise<Buffer> {
  const { statement, language } = ask;
  switch (ask.format) {
    case "csv":
      return Buffer.from(statementCsv(statement, language));
    case "text":
      return Buffer.from(statementText(statement, language));
    case "xlsx": {
      const { statementXlsx } = await import("#flow/invoice/xlsx.ts");
      return statementXlsx(statement, language);
    }
    case "pdf": {
      const { statementPdf } = await import("#flow/invoice/pdf.ts");
      return statementPdf(ask);
    }
  }
}

/** For names of files: nothing that a shell or a path would take for something else. */
export function fileSafe(statement: Statement, kind: string): string {
  const name = statement.tenant.name.replaceAll(/[^\p{L}\p{N}.-]+/gu, "-");
  return `${kind}-${name}-${statement.from}-${statement.through}`;
}
