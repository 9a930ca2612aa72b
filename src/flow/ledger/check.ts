/** The nightly check of the whole book (R-LED-1), beside what the database refuses by itself. */
import { z } from "zod";

import type { Queryable } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { formatFen } from "#kernel/money.ts";

import { amount } from "./accounts.ts";

export interface LedgerFinding {
  readonly tenantId: string;
  readonly problem: string;
}

const findingsMax = 100;

/**
 * Everything sums to zero, each balance is its postings, nobody has money and owes money, and a
 * package that has ended has nothing. Gives what is wrong, at most a hundred.
 */
export async function checkLedger(db: Queryable): Promise<LedgerFinding[]> {
  const row = z.object({ tenantId: z.string(), what: z.string(), expected: amount, got: amount });
  const found = await db.rows(
    sql`select * from (
        select coalesce(a.tenant_id, p.tenant_id) as "tenantId",
          'balance of ' || trim(coalesce(a.kind, p.kind) || ' ' || coalesce(a.subject, p.subject))
            as what,
          coalesce(p.sum, 0)::int8 as expected, coalesce(a.balance, 0)::int8 as got
        from account a full join (
          select tenant_id, account_kind as kind, account_subject as subject, sum(amount) as sum
          from posting group by 1, 2, 3
        ) p on p.tenant_id = a.tenant_id and p.kind = a.kind and p.subject = a.subject
        where coalesce(p.sum, 0) <> coalesce(a.balance, 0)
        union all
        select tenant_id, 'sum of journal ' || journal_id, 0::int8, sum(amount)::int8
        from posting group by tenant_id, journal_id having sum(amount) <> 0
        union all
        select w.tenant_id, 'wallet of a tenant who owes ' || -r.balance || ' fen', 0::int8, w.balance
        from account w join account r on r.tenant_id = w.tenant_id and r.kind = 'receivable'
        where w.kind = 'wallet' and w.balance > 0 and r.balance < 0
        union all
        select a.tenant_id, a.kind || ' of ended or unknown package ' || a.subject, 0::int8, a.balance
        from account a left join package_credit c
          on c.tenant_id = a.tenant_id and c.id::text = a.subject and c.ended_as is null
        where a.kind in ('principal', 'bonus') and a.balance <> 0 and c.id is null
      ) finding limit ${findingsMax}`,
    row,
  );
  return found.map(({ tenantId, what, expected, got }) => ({
    tenantId,
    problem: `${what} is ${formatFen(got)}, should be ${formatFen(expected)}`,
  }));
}
