/** How much a tenant may still keep in its storage. */
import type { Queryable } from "#db/pool.ts";
import { Failure } from "#kernel/failure.ts";
import { gibibyte } from "#kernel/shape.ts";
import { storedBytes } from "#storage/files.ts";

import { limitsOf } from "./quota.ts";

export interface StorageRoom {
  readonly limitBytes: number;
  readonly usedBytes: number;
  /** Never below zero, though the limit may have been lowered under what is there. */
  readonly leftBytes: number;
}

export async function storageRoom(db: Queryable, tenantId: string): Promise<StorageRoom> {
  const limitBytes = (await limitsOf(db, tenantId)).storageGiB * gibibyte;
  const usedBytes = await storedBytes(db, tenantId);
  return { limitBytes, usedBytes, leftBytes: Math.max(0, limitBytes - usedBytes) };
}

export function overStorage(room: StorageRoom, askedBytes: number | undefined): Failure {
  const { limitBytes, usedBytes } = room;
  const asked = askedBytes === undefined ? "this file" : `${askedBytes} bytes`;
  return new Failure(
    "quota_exceeded",
    `Over quota: of ${limitBytes} bytes of storage ${usedBytes} are used, and ${asked} would be more than the rest. Delete files, or ask the operator for more.`,
    {
      details: {
        quota: [
          {
            resource: "storageBytes",
            limit: limitBytes,
            used: usedBytes,
            ...(askedBytes === undefined ? {} : { asked: askedBytes }),
          },
        ],
      },
    },
  );
}
