/** What a part of the form gets: all that is typed, how to change it, and what is wrong at a field. */
import type { JobForm } from "./job-form.ts";

export interface FormPart {
  readonly form: JobForm;
  readonly set: (changes: Partial<JobForm>) => void;
  /** By the server's name of the field. */
  readonly errorAt: (path: string) => string | undefined;
}
