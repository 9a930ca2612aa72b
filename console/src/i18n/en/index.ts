/** The English texts, an area of the console a file. */
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

export const en = {
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
