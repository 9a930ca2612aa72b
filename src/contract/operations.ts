/** The one table of operations. */
import { billingOperations } from "./operations/billing.ts";
import { bookOperations } from "./operations/books.ts";
import { bundleOperations } from "./operations/bundles.ts";
import { catalogOperations } from "./operations/catalog.ts";
import { computeOperations } from "./operations/compute.ts";
import { customerOperations } from "./operations/customers.ts";
import { contractPriceOperations } from "./operations/contract-prices.ts";
import { groupOperations } from "./operations/groups.ts";
import { hostOperations } from "./operations/hosts.ts";
import { idleOperations } from "./operations/idle.ts";
import { identityOperations } from "./operations/identity.ts";
import { insightOperations } from "./operations/insights.ts";
import { jobPolicyOperations } from "./operations/job-policy.ts";
import { limitOperations } from "./operations/limits.ts";
import { meteringOperations } from "./operations/metering.ts";
import { noticeOperations } from "./operations/notices.ts";
import { openingOperations } from "./operations/openings.ts";
import { orderOperations } from "./operations/orders.ts";
import { paymentOperations } from "./operations/payments.ts";
import { platformOperations } from "./operations/platform.ts";
import { poolOperations } from "./operations/pools.ts";
import { scheduleOperations } from "./operations/schedule.ts";
import { serviceOperations } from "./operations/services.ts";
import { sizingOperations } from "./operations/sizing.ts";
import { sessionOperations } from "./operations/sessions.ts";

export const operations = {
  ...identityOperations,
  ...sessionOperations,
  ...catalogOperations,
  ...hostOperations,
  ...poolOperations,
  ...scheduleOperations,
  ...computeOperations,
  ...idleOperations,
  ...groupOperations,
  ...sizingOperations,
  ...openingOperations,
  ...billingOperations,
  ...bookOperations,
  ...limitOperations,
  ...jobPolicyOperations,
  ...bundleOperations,
  ...customerOperations,
  ...orderOperations,
  ...serviceOperations,
  ...contractPriceOperations,
  ...paymentOperations,
  ...insightOperations,
  ...meteringOperations,
  ...noticeOperations,
  ...platformOperations,
};

export type Operations = typeof operations;
export type OperationId = keyof Operations;
