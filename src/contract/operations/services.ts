import { z } from "zod";

import { operation } from "#contract/operation.ts";
import { id, page, pageQuery } from "#contract/schemas/common.ts";
import * as services from "#contract/schemas/services.ts";

const ofService = z.strictObject({ serviceId: id });

export const serviceOperations = {
  listServiceOffers: operation({
    method: "GET",
    path: "/v1/service-offers",
    summary: "Services that can be had, with their prices for the caller's tenant",
    tag: "orders",
    permission: "billing.read",
    result: services.serviceOffers,
  }),
  orderService: operation({
    method: "POST",
    path: "/v1/services",
    summary: "Order support or a bundle, paid at once, or ask for a model optimization",
    tag: "orders",
    permission: "billing.manage",
    audit: "service.order",
    status: 201,
    body: services.orderServiceBody,
    result: services.service,
    failures: ["rule_violation", "conflict", "insufficient_credit"],
  }),
  listServices: operation({
    method: "GET",
    path: "/v1/services",
    summary: "Services that were asked for or ordered, newest first",
    tag: "orders",
    permission: "billing.read",
    query: pageQuery,
    result: page(services.service),
  }),
  listAllServices: operation({
    method: "GET",
    path: "/v1/all-services",
    summary:
      "For the operator: services of all customers, newest first; those to be done by default",
    tag: "orders",
    permission: "platform.read",
    /** `to_do`: waits for an offer, or is paid and not done. */
    query: pageQuery.extend({ state: z.enum(["to_do", "all"]).default("to_do") }),
    result: page(services.serviceOfCustomer),
  }),
  getService: operation({
    method: "GET",
    path: "/v1/services/{serviceId}",
    summary: "One service",
    tag: "orders",
    permission: "billing.read",
    params: ofService,
    result: services.service,
  }),
  acceptService: operation({
    method: "POST",
    path: "/v1/services/{serviceId}/accept",
    summary: "Accept an offer; it is charged now",
    tag: "orders",
    permission: "billing.manage",
    audit: "service.accept",
    params: ofService,
    body: services.acceptServiceBody,
    result: services.service,
    failures: ["conflict", "insufficient_credit", "wrong_state"],
  }),
  cancelService: operation({
    method: "POST",
    path: "/v1/services/{serviceId}/cancel",
    summary: "Decline an offer, or let support end with its paid month",
    tag: "orders",
    permission: "billing.manage",
    audit: "service.cancel",
    params: ofService,
    result: services.service,
    failures: ["wrong_state"],
  }),
  offerService: operation({
    method: "POST",
    path: "/v1/services/{serviceId}/offer",
    summary: "For the operator: what an engagement costs, within the range of the price list",
    tag: "orders",
    permission: "platform.manage",
    audit: "service.offer",
    params: ofService,
    body: services.offerServiceBody,
    result: services.service,
    failures: ["rule_violation", "wrong_state"],
  }),
  finishService: operation({
    method: "POST",
    path: "/v1/services/{serviceId}/finish",
    summary: "For the operator: an engagement is done, or given back",
    tag: "orders",
    permission: "platform.manage",
    audit: "service.finish",
    params: ofService,
    body: services.finishServiceBody,
    result: services.finishedService,
    failures: ["rule_violation", "wrong_state"],
  }),
};
