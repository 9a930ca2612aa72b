/** The Chinese texts: the same keys as the English ones, which the type says. */
import type { SameKeys } from "#console/i18n/catalog.ts";
import type { en } from "#console/i18n/en/index.ts";

import { account } from "./account.ts";
import { common } from "./common.ts";
import { customers } from "./customers.ts";
import { selling } from "./selling.ts";
import { queue } from "./queue.ts";
import { files } from "./files.ts";
import { jobs } from "./jobs.ts";
import { home } from "./home.ts";
import { infrastructure } from "./infrastructure.ts";
import { instances } from "./instances.ts";
import { offers } from "./offers.ts";
import { prices } from "./prices.ts";
import { rent } from "./rent.ts";
import { billing } from "./billing.ts";
import { books } from "./books.ts";
import { groups } from "./groups.ts";
import { lease } from "./lease.ts";
import { notices } from "./notices.ts";
import { orders } from "./orders.ts";
import { statements } from "./statements.ts";
import { usage } from "./usage.ts";
import { verify } from "./verify.ts";
import { shell } from "./shell.ts";
import { states } from "./states.ts";

export const zhCN: SameKeys<typeof en> = {
  account,
  billing,
  books,
  common,
  customers,
  files,
  groups,
  home,
  infrastructure,
  instances,
  jobs,
  lease,
  notices,
  offers,
  orders,
  queue,
  prices,
  rent,
  selling,
  shell,
  statements,
  states,
  usage,
  verify,
};
