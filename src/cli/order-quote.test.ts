/** What a person reads before he orders, in both languages. */
import { expect, test } from "vitest";

import { quoteText, type OrderQuote } from "./order-quote.ts";

const quote: OrderQuote = {
  kind: "renewal",
  sku: "vm.a100x1",
  description: {
    en: "train: vm.a100x1, renewed, annual",
    "zh-CN": "train:vm.a100x1,续费,包年",
  },
  listPrice: "150000.00",
  discounts: [
    {
      rule: "R-VM-4",
      amount: "-6000.00",
      text: { en: "Annual renewal at your tier", "zh-CN": "续年付客户等级优惠" },
    },
  ],
  amount: "144000.00",
  vatIncluded: "8150.94",
  rates: { hourly: "16.67", daily: "400.00", monthly: "12000.00", term: "144000.00" },
  from: "2026-05-04T01:00:00.000Z",
  until: "2027-05-04T01:00:00.000Z",
  available: "1000.00",
  affordable: false,
  remarks: [],
  cheaperIf: [
    {
      way: "on_demand",
      what: "",
      amount: "496656.00",
      unit: "hours_a_month",
      cheaper: "below",
      breakEven: "203",
      text: { en: "On demand: cheaper if …", "zh-CN": "按量付费:…" },
    },
  ],
  profile: "Default v1",
};

test("P-13: a quote is read by hour, day, month and term, with its discounts and what is cheaper", () => {
  const text = quoteText(quote, "en");
  for (const part of [
    "150000.00 CNY",
    "Annual renewal at your tier",
    "-6000.00 CNY",
    "144000.00 CNY, VAT of 8150.94 included",
    "16.67 CNY",
    "400.00 CNY",
    "12000.00 CNY",
    "On demand: cheaper if …",
    "not enough",
  ]) {
    expect(text).toContain(part);
  }
});

test("P-13: and in Chinese, with no English label", () => {
  const text = quoteText(quote, "zh-CN");
  for (const part of ["续年付客户等级优惠", "折合每小时", "余额不足", "按量付费", "价格方案"]) {
    expect(text).toContain(part);
  }
  expect(text).not.toMatch(/Price|Or:|Available|List/);
});
