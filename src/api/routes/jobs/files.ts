/** The tenant's storage: upload, list, download, delete. Bytes stream; none are held in memory. */
import type { z } from "zod";
import { v7 as newId } from "uuid";

import type { Handler, StreamContext } from "#api/handler.ts";
import { pageOf } from "#api/page.ts";
import { rfc3339 } from "#api/routes/leases/show.ts";
import type { Operations } from "#contract/operations.ts";
import type { storedFile } from "#contract/schemas/jobs.ts";
import type { Tx } from "#db/pool.ts";
import { jobsWithInput } from "#flow/admit/job.ts";
import { lockQuota } from "#flow/admit/quota.ts";
import { overStorage, storageRoom } from "#flow/admit/storage-quota.ts";
import { Failure } from "#kernel/failure.ts";
import { discard, keep, receive, removeBytes, type FileKey } from "#storage/disk.ts";
import {
  deleteFile,
  findFile,
  insertInput,
  listFiles,
  lockFile,
  type StoredFile,
} from "#storage/files.ts";
import { bytesGone, readRange } from "#storage/read.ts";

export const uploadFile: Handler<Operations["uploadFile"]> = async ({ query, body }, context) => {
  const { tenantId, services } = context;
  const root = services.storageDirectory;
  const room = await context.read((tx) => storageRoom(tx, tenantId));
  if ((body.contentLength ?? 0) > room.leftBytes) throw overStorage(room, body.contentLength);
  const draft = await receive(root, body.stream, {
    bytesMax: room.leftBytes,
    tooLarge: () => overStorage(room, body.contentLength),
  });
  const file = { tenantId, id: newId(), name: query.name, ...draft };
  try {
    await keep(root, draft, file);
    return await context.commit(async (tx, note) => {
      // Two uploads at once must not both take the last of the quota.
      await lockQuota(tx, tenantId);
      const now = await storageRoom(tx, tenantId);
      if (draft.sizeBytes > now.leftBytes) throw overStorage(now, draft.sizeBytes);
      note({ target: file.id, details: { name: file.name, sizeBytes: draft.sizeBytes } });
      return showFile(await insertInput(tx, { ...file, at: context.now() }));
    });
  } catch (error) {
    await discard(draft);
    await removeUnlessCommitted(context, file);
    throw error;
  }
};

/** A commit whose answer was lost may have happened: then the bytes are the row's. */
async function removeUnlessCommitted(context: StreamContext, key: FileKey): Promise<void> {
  const row = await context.read((tx) => findFile(tx, key)).catch(() => "unknown" as const);
  // Left to the sweep if the database cannot be asked.
  if (row === undefined) await removeBytes(context.services.storageDirectory, key);
}

export const listFilesHandler: Handler<Operations["listFiles"]> = ({ query }, { tx, tenantId }) =>
  pageOf(query, {
    load: (ask) => listFiles(tx, tenantId, ask),
    show: showFile,
    positionOf: (file) => ({ at: file.createdAt, id: file.id }),
  });

export const downloadFile: Handler<Operations["downloadFile"]> = async ({ params }, context) => {
  const { tenantId, services } = context;
  const file = await context.read((tx) => fileOf(tx, { tenantId, id: params.fileId }));
  if (file.state === "missing") throw bytesGone();
  return {
    contentType: "application/octet-stream",
    body: await readRange(services.storageDirectory, file, { from: 0, until: file.sizeBytes }),
    contentLength: file.sizeBytes,
    fileName: file.name,
  };
};

export const deleteFileHandler: Handler<Operations["deleteFile"]> = async (
  { params },
  { tx, tenantId, note },
) => {
  const key = { tenantId, id: params.fileId };
  const file = await lockFile(tx, key);
  if (file === undefined || file.state === "failed" || file.state === "deleting") throw notFound();
  if (file.state === "writing") {
    throw new Failure("conflict", "This log is still being written; delete it when the job ended.");
  }
  const jobs = await jobsWithInput(tx, key);
  if (jobs.length > 0) {
    throw new Failure(
      "conflict",
      `The file ${file.name} is an input of ${jobs.length} jobs that have not ended; cancel them or wait.`,
      { details: { jobs } },
    );
  }
  await deleteFile(tx, key);
  note({ details: { name: file.name, sizeBytes: file.sizeBytes } });
};

async function fileOf(tx: Tx, key: FileKey): Promise<StoredFile> {
  const file = await findFile(tx, key);
  if (file === undefined || (file.state !== "ready" && file.state !== "missing")) throw notFound();
  return file;
}

function notFound(): Failure {
  return new Failure("not_found", "There is no such file.");
}

function showFile(file: StoredFile): z.output<typeof storedFile> {
  return {
    id: file.id,
    name: file.name,
    kind: file.kind,
    jobId: file.jobId,
    sizeBytes: file.sizeBytes,
    sha256: file.sha256 ?? "",
    createdAt: rfc3339(file.createdAt),
  };
}
