import { z } from "zod";

import { operation } from "#contract/operation.ts";
import { id } from "#contract/schemas/common.ts";
import * as hosts from "#contract/schemas/hosts.ts";

export const hostOperations = {
  getHost: operation({
    method: "GET",
    path: "/v1/hosts/{hostId}",
    summary: "For the operator: one host, with all that holds something of it",
    tag: "catalog",
    permission: "platform.read",
    params: z.strictObject({ hostId: id }),
    result: hosts.hostDetail,
  }),
};
