/** Which handler answers which operation; identity, audit and health are the server's own. */
import type { Handlers } from "#api/handler.ts";
import { bookHandlers } from "#api/routes/billing/books.ts";
import { explainHandlers } from "#api/routes/billing/explain.ts";
import { bundleHandlers } from "#api/routes/bundles/bundles.ts";
import { invoiceHandlers } from "#api/routes/billing/invoices.ts";
import { limitHandlers } from "#api/routes/billing/limits.ts";
import * as money from "#api/routes/billing/money.ts";
import { getStanding } from "#api/routes/billing/standing.ts";
import * as quota from "#api/routes/billing/quota.ts";
import { getUsageSums } from "#api/routes/billing/usage-sums.ts";
import { statementHandlers } from "#api/routes/billing/statements.ts";
import * as usage from "#api/routes/billing/usage.ts";
import { usageEventHandlers } from "#api/routes/metering/events.ts";
import { ingestHandlers } from "#api/routes/metering/ingest.ts";
import { logHandlers } from "#api/routes/metering/log.ts";
import * as offers from "#api/routes/catalog/offers.ts";
import * as places from "#api/routes/catalog/places.ts";
import { priceListHandlers } from "#api/routes/catalog/price-list.ts";
import * as profiles from "#api/routes/catalog/profiles.ts";
import { replayHandlers } from "#api/routes/catalog/replay.ts";
import { customerHandlers } from "#api/routes/customers/customers.ts";
import { tierHandlers } from "#api/routes/customers/tier.ts";
import * as events from "#api/routes/events/events.ts";
import { groupHandlers } from "#api/routes/groups/groups.ts";
import { idleHandlers } from "#api/routes/idle/idle.ts";
import { hostHandlers } from "#api/routes/catalog/host.ts";
import { insightHandlers } from "#api/routes/insights/insights.ts";
import * as files from "#api/routes/jobs/files.ts";
import { createJobBatch } from "#api/routes/jobs/batch.ts";
import * as jobs from "#api/routes/jobs/jobs.ts";
import { getJobCosts } from "#api/routes/jobs/costs.ts";
import { getJobRequest } from "#api/routes/jobs/request.ts";
import { jobPolicyHandlers } from "#api/routes/jobs/policy.ts";
import * as logs from "#api/routes/jobs/logs.ts";
import * as leases from "#api/routes/leases/leases.ts";
import { cloneLease } from "#api/routes/leases/clone.ts";
import { moveLease } from "#api/routes/leases/move.ts";
import * as operations from "#api/routes/leases/operations.ts";
import * as quotes from "#api/routes/leases/quote.ts";
import { sizingHandlers } from "#api/routes/leases/sizing.ts";
import * as snapshots from "#api/routes/leases/snapshots.ts";
import { openingHandlers } from "#api/routes/openings/openings.ts";
import { contractPriceHandlers } from "#api/routes/orders/contract-prices.ts";
import { packageHandlers } from "#api/routes/orders/packages.ts";
import { quoteHandlers } from "#api/routes/orders/quote.ts";
import { serviceHandlers } from "#api/routes/orders/services.ts";
import { subscriptionHandlers } from "#api/routes/orders/subscriptions.ts";
import { paymentHandlers } from "#api/routes/payments/payments.ts";
import { orphanHandlers } from "#api/routes/platform/orphans.ts";
import { siteHandlers } from "#api/routes/platform/sites.ts";
import { poolHandlers } from "#api/routes/pools/pools.ts";
import { queueHandlers } from "#api/routes/schedule/queue.ts";
import { scheduleHandlers } from "#api/routes/schedule/schedule.ts";

export const handlers: Partial<Handlers> = {
  listOffers: offers.listOffers,
  ...priceListHandlers,
  listFlavors: offers.listFlavorsHandler,
  createFlavor: offers.createFlavor,
  retireFlavor: offers.retireFlavor,
  listImages: offers.listImages,
  updateImage: offers.updateImageHandler,
  getPlaces: places.getPlaces,
  listHosts: places.listHostsHandler,
  updateHost: places.updateHost,
  updateHostGpu: places.updateHostGpu,
  ...hostHandlers,
  ...poolHandlers,
  ...scheduleHandlers,
  ...queueHandlers,
  ...orphanHandlers,
  ...siteHandlers,
  listPriceProfiles: profiles.listProfiles,
  getPriceProfile: profiles.getProfile,
  createPriceProfile: profiles.createProfile,
  checkPriceProfile: profiles.checkProfile,
  ...replayHandlers,
  activatePriceProfile: profiles.activateProfile,
  quote: quotes.quoteHandler,
  ...idleHandlers,
  ...groupHandlers,
  ...sizingHandlers,
  ...openingHandlers,
  createLease: leases.createLease,
  listLeases: leases.listLeasesHandler,
  getLease: leases.getLease,
  startLease: leases.startLease,
  stopLease: leases.stopLease,
  rebootLease: leases.rebootLease,
  cloneLease,
  moveLease,
  resizeLease: leases.resizeLease,
  releaseLease: leases.releaseLease,
  listLeaseEvents: leases.listLeaseEvents,
  listSnapshots: snapshots.listSnapshotsHandler,
  createSnapshot: snapshots.createSnapshot,
  revertSnapshot: snapshots.revertSnapshot,
  deleteSnapshot: snapshots.deleteSnapshot,
  createJob: jobs.createJob,
  createJobBatch,
  listJobs: jobs.listJobsHandler,
  getJob: jobs.getJob,
  getJobCosts,
  getJobRequest,
  cancelJob: jobs.cancelJob,
  readJobLog: logs.readJobLog,
  followJobLog: logs.followJobLog,
  downloadJobResults: logs.downloadJobResults,
  uploadFile: files.uploadFile,
  listFiles: files.listFilesHandler,
  downloadFile: files.downloadFile,
  deleteFile: files.deleteFileHandler,
  getOperation: operations.getOperation,
  followEvents: events.followEvents,
  ...insightHandlers,
  ...tierHandlers,
  ...customerHandlers,
  ...quoteHandlers,
  ...packageHandlers,
  ...subscriptionHandlers,
  ...serviceHandlers,
  ...contractPriceHandlers,
  ...usageEventHandlers,
  ...ingestHandlers,
  ...logHandlers,
  getBalance: money.getBalance,
  getStanding,
  createTopUp: money.createTopUp,
  ...paymentHandlers,
  listJournals: money.listJournalsHandler,
  ...bookHandlers,
  listUsage: usage.listUsage,
  getUsageSums,
  ...statementHandlers,
  ...explainHandlers,
  ...bundleHandlers,
  ...invoiceHandlers,
  getQuota: quota.getQuota,
  updateQuota: quota.updateQuota,
  ...limitHandlers,
  ...jobPolicyHandlers,
};
