/** Statements of a month or of some days. */
import type { Handlers } from "#api/handler.ts";
import { loadPriceBook } from "#catalog/price-profiles.ts";
import type { Queryable } from "#db/pool.ts";
import type { Statement } from "#flow/invoice/decide.ts";
import { grouped } from "#flow/invoice/group.ts";
import { readStatement } from "#flow/invoice/statements.ts";

import { accountOf } from "./account.ts";
import { documentBytes, fileSafe } from "./documents.ts";
import { rangeOf, type PeriodQuery } from "./period.ts";

export const statementHandlers = {
  getStatement: async ({ query }, context) => {
    const { lines, totals, ...rest } = await statementFor(context.tx, context.tenantId, {
      query,
      now: context.now(),
    });
    return { ...rest, lines: [...lines], totals: [...totals] };
  },

  exportStatement: async ({ query }, context) => {
    const { format, language, by, ...period } = query;
    const now = context.now();
    const statement = await context.read((tx) =>
      statementFor(tx, context.tenantId, { query: period, now }),
    );
    return documentBytes({
      statement: grouped(statement, by),
      language,
      format,
      name: fileSafe(statement, "statement"),
      // Of the period and not of the asking: the same statement is the same bytes.
      at: Date.parse(statement.from),
    });
  },
} satisfies Partial<Handlers>;

async function statementFor(
  db: Queryable,
  tenantId: string,
  ask: { readonly query: PeriodQuery; readonly now: number },
): Promise<Statement> {
  const { name, zone } = await accountOf(db, tenantId);
  return readStatement(db, await loadPriceBook(db), {
    tenant: { id: tenantId, name },
    timeZone: zone,
    range: rangeOf(ask.query, zone, ask.now),
  });
}
