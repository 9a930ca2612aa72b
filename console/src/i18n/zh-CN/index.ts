/** The Chinese texts: the same keys as the English ones, which the type says. */
import type { SameKeys } from "#console/i18n/catalog.ts";
import type { en } from "#console/i18n/en/index.ts";

import { account } from "./account.ts";
import { common } from "./common.ts";
import { files } from "./files.ts";
import { jobs } from "./jobs.ts";
import { home } from "./home.ts";
import { instances } from "./instances.ts";
import { offers } from "./offers.ts";
import { rent } from "./rent.ts";
import { shell } from "./shell.ts";
import { states } from "./states.ts";

export const zhCN: SameKeys<typeof en> = {
  files,
  jobs,
  account,
  files,
  jobs,
  common,
  home,
  instances,
  offers,
  rent,
  shell,
  states,
  billing,
  notices,
  orders,
  statements,
  usage,
  verify,
};
