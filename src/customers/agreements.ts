/**
 * Service agreement and NDA (O-03): versions published by the operator, acceptance recorded with the
 * version, the hash of the text, the person and the time. A published version is never edited.
 */
import { createHash } from "node:crypto";

import { v7 as newId } from "uuid";
import { z } from "zod";

import { explained } from "#db/constraint.ts";
import type { Queryable, Tx } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { Failure } from "#kernel/failure.ts";

const documents = ["service_agreement", "nda"] as const;
export type AgreementDocument = (typeof documents)[number];

const versionsMax = 100;

const row = z
  .object({
    id: z.string(),
    document: z.enum(documents),
    version: z.string(),
    text_en: z.string(),
    text_zh: z.string(),
    sha256: z.string(),
    required: z.boolean(),
    published_at: instant,
    accepted_at: instant.nullable(),
    user_name: z.string().nullable(),
  })
  .transform((each) => ({
    id: each.id,
    document: each.document,
    version: each.version,
    textEn: each.text_en,
    textZh: each.text_zh,
    sha256: each.sha256,
    required: each.required,
    publishedAt: each.published_at,
    acceptedAt: each.accepted_at,
    acceptedBy: each.user_name,
  }));
export type Agreement = z.output<typeof row>;

/** Newest first, with what this tenant accepted. */
export function agreements(db: Queryable, tenantId: string): Promise<Agreement[]> {
  return db.rows(
    sql`select a.id, a.document, a.version, a.text_en, a.text_zh, a.sha256, a.required,
        a.published_at, c.accepted_at, c.user_name
      from agreement a left join agreement_acceptance c
        on c.agreement_id = a.id and c.tenant_id = ${tenantId}
      order by a.published_at desc, a.id desc limit ${versionsMax}`,
    row,
  );
}

export interface NewAgreement {
  readonly document: AgreementDocument;
  readonly version: string;
  readonly textEn: string;
  readonly textZh: string;
  readonly required: boolean;
  readonly now: number;
}

export async function publishAgreement(tx: Tx, ask: NewAgreement): Promise<Agreement> {
  const sha256 = createHash("sha256").update(`${ask.textEn}\0${ask.textZh}`).digest("hex");
  const published = tx.one(
    sql`insert into agreement (id, document, version, text_en, text_zh, sha256, required,
        published_at)
      values (${newId()}, ${ask.document}, ${ask.version}, ${ask.textEn}, ${ask.textZh}, ${sha256},
        ${ask.required}, ${new Date(ask.now)})
      returning id, document, version, text_en, text_zh, sha256, required, published_at,
        null::timestamptz as accepted_at, null::text as user_name`,
    row,
  );
  return explained(published, {
    agreement_version: () =>
      new Failure(
        "conflict",
        `There is a version ${ask.version} of this document already; a new text is a new version.`,
      ),
  });
}

export interface Acceptance {
  readonly tenantId: string;
  readonly agreementId: string;
  /** Of the text that the person saw. */
  readonly sha256: string;
  readonly userId: string;
  readonly userName: string;
  readonly now: number;
}

/** The first acceptance counts; a second one is harmless. */
export async function acceptAgreement(tx: Tx, ask: Acceptance): Promise<Agreement> {
  const found = (await agreements(tx, ask.tenantId)).find(({ id }) => id === ask.agreementId);
  if (found === undefined) throw new Failure("not_found", "There is no such agreement.");
  if (found.sha256 !== ask.sha256) {
    throw new Failure("conflict", "This is not the text that was published; read it again.", {
      details: { sha256: found.sha256 },
    });
  }
  await tx.execute(sql`
    insert into agreement_acceptance
      (tenant_id, agreement_id, user_id, user_name, sha256, accepted_at)
    values (${ask.tenantId}, ${ask.agreementId}, ${ask.userId}, ${ask.userName}, ${ask.sha256},
      ${new Date(ask.now)})
    on conflict do nothing`);
  const [accepted] = (await agreements(tx, ask.tenantId)).filter(({ id }) => id === found.id);
  return accepted ?? found;
}

const missingRow = z.object({ document: z.string(), version: z.string() });

/** Throws `rule_violation` while the newest required version of a document is not accepted. */
export async function requireAgreements(db: Queryable, tenantId: string): Promise<void> {
  const missing = await db.rows(
    sql`select a.document, a.version
      from (select distinct on (document) id, document, version, required from agreement
        order by document, published_at desc, id desc) a
      where a.required and not exists (select from agreement_acceptance c
        where c.tenant_id = ${tenantId} and c.agreement_id = a.id)
      order by a.document`,
    missingRow,
  );
  if (missing.length === 0) return;
  const names = missing.map(({ document, version }) => `${document} ${version}`);
  throw new Failure(
    "rule_violation",
    `Read and accept first: ${names.join(", ")} (millrace agreement list).`,
    { details: { missing } },
  );
}
