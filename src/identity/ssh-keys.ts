/** SSH public keys of a user: what machines rented from now on accept. */
import { v7 as newId } from "uuid";
import { z } from "zod";

import { explained } from "#db/constraint.ts";
import { oldestFirst, type PageAsk } from "#db/keyset.ts";
import type { Tx } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { Failure } from "#kernel/failure.ts";

import { requireRoom, sshKeysPerUserMax } from "./limits.ts";
import { parseSshPublicKey } from "./ssh-key.ts";

export interface Owner {
  readonly tenantId: string;
  readonly userId: string;
}

const row = z.object({
  id: z.string(),
  name: z.string(),
  publicKey: z.string(),
  fingerprint: z.string(),
  createdAt: instant,
});
export type SshKey = z.output<typeof row>;

const columns = sql`id, name, public_key as "publicKey", fingerprint, created_at as "createdAt"`;
const position = { at: sql`created_at`, id: sql`id` };

export async function listSshKeys(tx: Tx, owner: Owner, ask: PageAsk): Promise<SshKey[]> {
  return tx.rows(
    sql`select ${columns} from ssh_key
      where tenant_id = ${owner.tenantId} and user_id = ${owner.userId}
        and ${oldestFirst(position, ask)}
      order by created_at, id limit ${ask.limit}`,
    row,
  );
}

/** Those that `asked` names by id or name, all of them when `undefined`; throws `not_found`. */
export async function chosenSshKeys(
  tx: Tx,
  owner: Owner,
  asked: readonly string[] | undefined,
): Promise<SshKey[]> {
  const all = await listSshKeys(tx, owner, { after: undefined, limit: sshKeysPerUserMax });
  return asked === undefined
    ? all
    : asked.map((text) => {
        const found = all.find((key) => key.id === text || key.name === text);
        if (found !== undefined) return found;
        throw new Failure("not_found", `You have no SSH key ${JSON.stringify(text)}.`, {
          details: { sshKeys: all.map((key) => key.name) },
        });
      });
}

export interface NewSshKey {
  readonly name: string;
  readonly publicKey: string;
  readonly now: number;
}

export async function createSshKey(tx: Tx, owner: Owner, ask: NewSshKey): Promise<SshKey> {
  const { line, fingerprint } = parseSshPublicKey(ask.publicKey);
  await requireRoom(tx, {
    what: "SSH keys of this user",
    rows: sql`from ssh_key where tenant_id = ${owner.tenantId} and user_id = ${owner.userId}`,
    limit: sshKeysPerUserMax,
  });
  const insert = tx.one(
    sql`insert into ssh_key (tenant_id, id, user_id, name, public_key, fingerprint, created_at)
      values (${owner.tenantId}, ${newId()}, ${owner.userId}, ${ask.name}, ${line},
        ${fingerprint}, ${new Date(ask.now)})
      returning ${columns}`,
    row,
  );
  return explained(insert, {
    ssh_key_name: () => new Failure("conflict", `You have an SSH key named "${ask.name}" already.`),
    ssh_key_fingerprint: () =>
      new Failure("conflict", "You added this SSH key already, under another name.", {
        details: { fingerprint },
      }),
  });
}

export async function deleteSshKey(tx: Tx, owner: Owner, sshKeyId: string): Promise<void> {
  const deleted = await tx.execute(sql`delete from ssh_key
    where tenant_id = ${owner.tenantId} and user_id = ${owner.userId} and id = ${sshKeyId}`);
  if (deleted === 0) throw new Failure("not_found", "There is no such SSH key.");
}
