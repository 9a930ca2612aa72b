/** A bill checked in the browser. */
export const verify = {
  title: "Verify a bill",
  lead: "This browser checks the bill itself: signatures, proofs and prices. You need not believe the server.",
  choose: "Which bill",
  month: "Month",
  noMonths: "There is no bill yet. A bundle that you were sent can be checked below.",
  check: "Check this bill",
  download: "Download the bundle",
  chooseFile: "Choose a bundle",
  drop: "or drop the file here. It does not leave this browser.",
  busy: "A check is under way",
  trust: "Check against a key and a checkpoint of your own",
  key: "Key of the log",
  keyHelp: "From your contract or a colleague. Left empty, the bundle's own key is used.",
  checkpoint: "Checkpoint that you kept",
  checkpointHelp:
    "The text as it was signed. The log must go on from it; only this shows that history was not rewritten.",
  keepText: "Keep one now and then, outside of this cloud:",
  keep: "download the latest checkpoint",
  loading: "Getting the bundle of {{what}}",
  checking: "Checking {{what}}",
  unable: "This could not be checked here",
  noWebCrypto:
    "Browsers check signatures only on pages that come over https or from the machine itself. Open the console that way, or run: millrace verify FILE.",
  proved: "Proved: {{what}}",
  provedText: "The events are in the signed log, and with the prices they make this bill.",
  notProved_one: "Not proved: {{what}}, {{count}} thing is wrong",
  notProved_other: "Not proved: {{what}}, {{count}} things are wrong",
  notProvedText:
    "The first faults are the nearest to the cause. Keep the file: it is the evidence.",
  moreFailures_one: "and {{count}} more",
  moreFailures_other: "and {{count}} more",
  steps: "What was checked",
  outcome: { passed: "Passed", failed: "Failed", unreached: "Not reached" },
  step: {
    whole: {
      name: "The file is whole",
      text: "Each record has the digest that stands at the end of the file.",
    },
    signature: {
      name: "Signatures",
      text: "Checkpoints signed by the log's key (Ed25519): {{signatures}} right.",
    },
    consistency: {
      name: "Consistency",
      text: "Each later checkpoint goes on from the earlier ones (proofs: {{proofs}}). Nothing was rewritten between them.",
    },
    inclusion: {
      name: "Inclusion",
      text: "Each of {{events}} events makes its leaf, and the leaves are in the log of size {{size}}.",
    },
    events: {
      name: "Events",
      text: "They are yours, each counts once, intervals have no gap, nothing is counted twice at once.",
    },
    rating: {
      name: "Rated again",
      text: "Each of {{lines}} lines follows from events and prices, to the fen.",
    },
    payments: {
      name: "Orders and payments",
      text: "Orders sum up, refunds are no more than what was paid, packages paid by their rules.",
    },
    bill: {
      name: "The bill made again",
      text: "It is the one in the bundle, field by field, and its SHA-256 is that of the invoice.",
    },
  },
  bill: "The bill",
  customer: "Customer",
  total: "Total",
  rests: "Rests on",
  restsOn: "{{lines}} lines, {{events}} events",
  state: { final: "closed", provisional: "provisional" },
  hash: "SHA-256, as on the invoice",
  fingerprint: "Key, fingerprint",
  keyPinned: "as given by you",
  keyOwn: "the bundle's own, compared with nothing",
  checkpointOf: "Root at size {{size}}",
  notes: "What this check could not show",
  meaning: "What this proves, and what it does not",
  proves:
    "That this bill follows from these events and prices, and that exactly these events are in the log that the checkpoints sign. After a checkpoint that you have seen, no event can be changed, removed or slipped in.",
  provesNot: "By itself it does not prove:",
  notSameLog:
    "That everybody is shown the same log. Whoever has the key could sign two. Only a checkpoint that somebody outside holds shows that.",
  notKey: "That the key is the right one. Get it once from elsewhere, and give it above.",
  notUse: "That you used what the events say. Compare them with records of your own.",
  notPrices:
    "Prices, tiers and orders: they are no part of the log. Compare them with your contract.",
  outside:
    "A checkpoint is 200 bytes. Keep one, or exchange it with an auditor or another customer: two signed ones that do not go together prove a forked log.",
} as const;
