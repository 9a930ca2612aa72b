import { z } from "zod";

import { operation } from "#contract/operation.ts";
import { id, page, pageQuery } from "#contract/schemas/common.ts";
import { language } from "#contract/schemas/notices.ts";
import * as orders from "#contract/schemas/orders.ts";

const ofPackage = z.strictObject({ packageId: id });

export const orderOperations = {
  quoteOrder: operation({
    method: "POST",
    path: "/v1/orders/quote",
    summary: "What an order would cost, with discounts and dates, before it is made",
    tag: "orders",
    permission: "billing.read",
    body: orders.quoteOrderBody,
    result: orders.orderQuote,
    failures: ["rule_violation"],
  }),
  buyPackage: operation({
    method: "POST",
    path: "/v1/packages",
    summary: "Buy a package of credit for jobs from the balance",
    tag: "orders",
    permission: "billing.manage",
    audit: "package.buy",
    status: 201,
    body: orders.buyPackageBody,
    result: orders.orderPackage,
    failures: ["rule_violation", "conflict", "insufficient_credit"],
  }),
  listPackages: operation({
    method: "GET",
    path: "/v1/packages",
    summary: "Packages with what is left of them, newest first",
    tag: "orders",
    permission: "billing.read",
    query: pageQuery,
    result: page(orders.orderPackage),
  }),
  getPackage: operation({
    method: "GET",
    path: "/v1/packages/{packageId}",
    summary: "One package",
    tag: "orders",
    permission: "billing.read",
    params: ofPackage,
    result: orders.orderPackage,
  }),
  refundPackage: operation({
    method: "POST",
    path: "/v1/packages/{packageId}/refund",
    summary: "Give a package back before it expires: unused principal to the balance, bonus void",
    tag: "orders",
    permission: "billing.manage",
    audit: "package.refund",
    params: ofPackage,
    result: orders.packageRefund,
    failures: ["wrong_state"],
  }),
  listOrderItems: operation({
    method: "GET",
    path: "/v1/order-items",
    summary: "What was charged and given back for orders, newest first",
    tag: "orders",
    permission: "billing.read",
    query: pageQuery.extend({ subjectId: id.optional(), language: language.default("en") }),
    result: page(orders.orderItem),
  }),
};
