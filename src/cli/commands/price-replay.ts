/** `price replay`: a month of real usage under another price profile. */
import type { Command } from "commander";
import { z } from "zod";

import { define, flag, noArguments, type Shell } from "#cli/define.ts";
import { readProfile } from "#cli/profile-file.ts";
import { fields, table } from "#cli/table.ts";
import { money, none, safe } from "#cli/text.ts";
import type { AnswerOf } from "#client/types.ts";

export function addPriceReplay(price: Command, shell: Shell): void {
  define(price, shell, {
    usage: "replay",
    summary: "For the operator: what a month's usage would have cost under another profile",
    args: noArguments,
    options: z.object({
      profile: flag("--profile <file>", "the profile as YAML or JSON ('-' is stdin)", z.string()),
      month: flag("--month <month>", "such as 2026-05", z.string()),
    }),
    examples: ["millrace price replay --profile new.yaml --month 2026-05"],
    act: async ({ client, out }, _args, { profile, month }) => {
      const body = { profile: await readProfile(profile), month };
      const value = await client.call("replayPrices", { body });
      await out.show({
        value,
        ids: value.tenants.map((each) => each.tenantId),
        text: () => replayText(value),
      });
    },
  });
}

function replayText(replay: AnswerOf<"replayPrices">): string {
  const head = fields([
    ["Month", replay.month],
    ["Charged", money(replay.before)],
    ["Under the profile", money(replay.after)],
    ["Change", money(replay.change)],
    ["Would pay less", String(replay.winners)],
    ["Would pay more", String(replay.losers)],
    ["Would change their tier", String(replay.tierMoves)],
  ]);
  const findings = replay.findings.map((each) => `${each.severity}: ${safe(each.message)}\n`);
  if (replay.tenants.length === 0) return `${head}${findings.join("")}Nothing was used then.\n`;
  const list = table(
    [
      { title: "TENANT", cell: (each) => each.name },
      { title: "CHARGED", cell: (each) => each.before, right: true },
      { title: "WOULD BE", cell: (each) => each.after, right: true },
      { title: "CHANGE", cell: (each) => each.change, right: true },
      {
        title: "TIER",
        cell: (each) =>
          each.tierBefore === each.tierAfter
            ? each.tierBefore
            : `${each.tierBefore} -> ${each.tierAfter}`,
      },
      { title: "NO PRICE", cell: (each) => each.unpriced.join(", ") || none },
    ],
    replay.tenants,
  );
  return `${head}${findings.join("")}\n${list}`;
}
