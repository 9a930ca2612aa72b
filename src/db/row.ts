/** Schemas for column types as the driver returns them (see pool.ts), turned into ours. */
import { z } from "zod";

/** timestamptz to epoch milliseconds. */
export const instant = z.date().transform((date) => date.getTime());

/** int8 to bigint: money and quantities. */
export const int8 = z.bigint();

/** int8 that is known to stay small, such as byte sizes of one machine, to a number. */
export const size = z.bigint().transform((value) => Number(value));
