/** The quota as rows, one for each thing and one for each model of GPU; and back from a form. */
import type { AnswerOf, RequestOf } from "#client/types.ts";

export type Quantities = AnswerOf<"getQuota">["limits"];

export const quotaFields = [
  "vcpus",
  "memoryMiB",
  "diskGiB",
  "leases",
  "jobs",
  "snapshots",
  "storageGiB",
] as const satisfies readonly (keyof Quantities)[];
type QuotaField = (typeof quotaFields)[number];

interface QuotaRow {
  readonly of: QuotaField | { readonly gpu: string };
  readonly limit: number;
  readonly used: number;
}

export function quotaRows(limits: Quantities, used: Quantities): readonly QuotaRow[] {
  const models = [...new Set([...Object.keys(limits.gpus), ...Object.keys(used.gpus)])].toSorted();
  return [
    ...quotaFields.map((of) => ({ of, limit: limits[of], used: used[of] })),
    ...models.map((gpu) => ({
      of: { gpu },
      limit: limits.gpus[gpu] ?? 0,
      used: used.gpus[gpu] ?? 0,
    })),
  ];
}

/** What a form has; `undefined` where a field is empty. */
export interface QuotaForm {
  readonly fields: Readonly<Partial<Record<QuotaField, number>>>;
  readonly gpus: Readonly<Record<string, number | undefined>>;
}

/** Only what differs; GPUs as a whole, since the server takes them so. `undefined`: nothing does. */
export function quotaChange(
  limits: Quantities,
  form: QuotaForm,
): RequestOf<"updateQuota">["body"] | undefined {
  const changed = quotaFields.flatMap((field) => {
    const value = form.fields[field];
    return value === undefined || value === limits[field] ? [] : [[field, value] as const];
  });
  const models = Object.keys(form.gpus);
  const gpus = Object.fromEntries(
    models.flatMap((model) => {
      const value = form.gpus[model] ?? limits.gpus[model] ?? 0;
      return value === 0 && limits.gpus[model] === undefined ? [] : [[model, value] as const];
    }),
  );
  const gpusDiffer = models.some((model) => (gpus[model] ?? 0) !== (limits.gpus[model] ?? 0));
  if (changed.length === 0 && !gpusDiffer) return undefined;
  return { ...Object.fromEntries(changed), ...(gpusDiffer ? { gpus } : {}) };
}
