import type { AnswerOf } from "#client/types.ts";

/** The account of a customer. */
export type Tenant = AnswerOf<"getTenant">;
