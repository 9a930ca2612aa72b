/** Near to which other work it lies, and apart from which: of leases and jobs alike. */
import { z } from "zod";

import { dnsName } from "./common.ts";

/** More names make a wait nobody can explain. */
const namesMax = 16;

/** What work keeps near to, or apart from: names of groups, or ids of leases and jobs of the same customer. */
const beside = z.array(z.string().min(1).max(63)).max(namesMax).default([]);

export const besideBody = {
  /** A name by which other work of the same customer can keep near to it or apart from it. */
  group: dnsName.optional(),
  /** Runs on the host of one of these; waits until one has a host. */
  near: beside.meta({
    description: "Names of groups, or ids of leases and jobs: on the host of one",
  }),
  /** Runs on no host that any of these is on; holds for those who come later as well. */
  apart: beside.meta({
    description: "Names of groups, or ids of leases and jobs: on no host of any",
  }),
} as const;

/** Where it is to lie, as its owner said. */
export const placedBeside = {
  group: z.string().nullable(),
  near: z.array(z.string()),
  apart: z.array(z.string()),
} as const;
