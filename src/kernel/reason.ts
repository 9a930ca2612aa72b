/** Why something is refused, waits or ended: a code for programs, a sentence, and the numbers. */
export interface Reason {
  readonly code: string;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}
