/** A price profile to read: what stands together in a card, tables where there are several of a kind. */
import type { ReactNode } from "react";

import { moneyText } from "#console/components/money.tsx";
import { textIfThere, useText } from "#console/i18n/index.ts";
import { Card, Facts, Stack } from "#console/ui/layout.tsx";
import { Code, Muted, Text } from "#console/ui/text.tsx";

import { gridOf, isAmount, isRecord, ordered, sectionsOf } from "./sections.ts";

type Profile = Readonly<Record<string, unknown>>;

export function Figures({ profile }: { readonly profile: Profile }): ReactNode {
  const { t } = useText();
  return (
    <div style={{ columns: "26rem 2", columnGap: "1rem" }}>
      {sectionsOf(ordered(profile)).map(({ name, fields }) => {
        const single = fields.filter(([, value]) => !isTable(value));
        return (
          <div key={name} style={{ breakInside: "avoid", paddingBottom: "1rem" }}>
            <Card title={t(`prices.section.${name}`)}>
              <Stack>
                {fields
                  .filter(([, value]) => isTable(value))
                  .map(([field, value]) => (
                    <FieldTable key={field} field={field} value={value} />
                  ))}
                {single.length === 0 ? null : (
                  <Facts
                    rows={single.map(([field, value]) => [
                      fieldName(field),
                      <Value key={field} path={[field]} value={value} />,
                    ])}
                  />
                )}
              </Stack>
            </Card>
          </div>
        );
      })}
    </div>
  );
}

function isTable(value: unknown): boolean {
  return gridOf(value) !== undefined || (isRecord(value) && Object.keys(value).length > 0);
}

function FieldTable({
  field,
  value,
}: {
  readonly field: string;
  readonly value: unknown;
}): ReactNode {
  const { t } = useText();
  const grid = gridOf(value);
  const columns = grid?.columns ?? [];
  const rows: readonly (readonly [string, readonly unknown[]])[] =
    grid?.rows ??
    (isRecord(value) ? Object.entries(value).map(([name, each]) => [name, [each]] as const) : []);
  return (
    <div>
      <Text isStrong>{fieldName(field)}</Text>
      <div className="table-wrap">
        <table className="table" aria-label={fieldName(field)}>
          <thead>
            <tr>
              <th scope="col">{t("prices.item")}</th>
              {grid === undefined ? (
                <th scope="col" className="end">
                  {t("prices.value")}
                </th>
              ) : (
                columns.map((column) => (
                  <th key={column} scope="col" className="end">
                    {fieldName(column)}
                  </th>
                ))
              )}
            </tr>
          </thead>
          <tbody>
            {rows.map(([name, values]) => (
              <tr key={name}>
                <th scope="row" style={{ fontWeight: 400 }}>
                  {fieldName(name)}
                </th>
                {values.map((each, index) => (
                  <td key={columns[index] ?? "value"} className="end">
                    <Value path={[field, name, columns[index] ?? ""]} value={each} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

function Value({
  path,
  value,
}: {
  readonly path: readonly string[];
  readonly value: unknown;
}): ReactNode {
  const { t } = useText();
  if (value === undefined) return <Muted>—</Muted>;
  if (value === null) {
    return (
      <Muted>{t(path.at(-1) === "up_to_gpu_hours" ? "prices.endless" : "prices.notSet")}</Muted>
    );
  }
  if (typeof value === "boolean") return t(value ? "common.yes" : "common.no");
  if (Array.isArray(value)) {
    const texts = value.map((each: unknown) =>
      isAmount(path, each) ? moneyText(each) : plain(each),
    );
    return texts.length === 0 ? <Muted>{t("prices.none")}</Muted> : texts.join(", ");
  }
  if (isRecord(value)) return <Code>{JSON.stringify(value)}</Code>;
  return (
    <span className="tabular" style={{ overflowWrap: "anywhere" }}>
      {isAmount(path, value) ? moneyText(value) : plain(value)}
    </span>
  );
}

function plain(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** In words where there are some; SKUs and codes are called what they are called. */
export function fieldName(name: string): string {
  return textIfThere(`prices.field.${name}`) ?? name;
}
