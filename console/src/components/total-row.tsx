/** The last row of a table of costs: what its lines come to together. */
import type { ComponentProps, ReactNode } from "react";

import { Money } from "./money.tsx";

export function TotalRow({
  label,
  columns,
  amount,
}: {
  readonly label: string;
  /** Of the table before the one of amounts. */
  readonly columns: number;
  readonly amount: ComponentProps<typeof Money>["amount"];
}): ReactNode {
  return (
    <tr>
      <th scope="row" colSpan={columns}>
        {label}
      </th>
      <td className="end">
        <strong>
          <Money amount={amount} />
        </strong>
      </td>
    </tr>
  );
}
