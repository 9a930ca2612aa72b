/** The postings of a journal: account, what for, amount in the account's favor. */
import type { ReactNode } from "react";
import type { ItemOf } from "#client/types.ts";

import { Money } from "#console/components/money.tsx";
import { textIfThere, useText } from "#console/i18n/index.ts";
import { Muted } from "#console/ui/text.tsx";

export function Postings({
  postings,
}: {
  readonly postings: ItemOf<"listAllJournals">["postings"];
}): ReactNode {
  // Drawn again in the other language.
  useText();
  return (
    <ul className="plain-list">
      {postings.map(({ account, subject, amount, note }) => (
        <li
          key={`${account} ${subject} ${note} ${amount}`}
          style={{ display: "flex", justifyContent: "space-between", gap: "1rem" }}
        >
          <span>
            {textIfThere(`statements.account.${account}`) ?? account}{" "}
            <Muted size="xs">{note === "" ? subject.slice(0, 8) : note}</Muted>
          </span>
          <Money amount={amount} isSigned />
        </li>
      ))}
    </ul>
  );
}
