/** `verify`: is this bill right? From the file alone: no login, no server, no network. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";

import type { Command } from "commander";
import { z } from "zod";

import { define, flag, oneArgument, type Shell } from "#cli/define.ts";
import { readStdin, readTextFile } from "#cli/files.ts";
import { fields } from "#cli/table.ts";
import { money, none, safe } from "#cli/text.ts";
import { Failure } from "#kernel/failure.ts";
import { nodeHasher, nodeSha256, nodeVerify } from "#tlog/node-crypto.ts";
import { verifyBundle, type Verdict } from "#verify/verify.ts";

/** Nothing went wrong, but what was looked at is not right. */
export const notProvedExitCode = 1;

export const languageFlag = flag(
  "--language <language>",
  "en or zh-CN (default: your locale's)",
  z.enum(["en", "zh-CN"]).optional(),
);

type Language = "en" | "zh-CN";

export function addVerify(program: Command, shell: Shell): void {
  define(program, shell, {
    usage: "verify <bundle>",
    summary: "Prove a bill from its bundle alone: no login, no server, no network",
    args: oneArgument,
    options: z.object({
      key: flag(
        "--key <key>",
        "the log's public key, or a file with it; else the bundle's own is used, and said so",
        z.string().optional(),
      ),
      checkpoint: flag(
        "--checkpoint <file>",
        "a checkpoint that you or somebody else kept: the log must go on from it",
        z.string().optional(),
      ),
      language: languageFlag,
    }),
    examples: [
      "millrace verify millrace-2026-05.bundle",
      "millrace verify may.bundle --key log.key --checkpoint april.checkpoint",
      "millrace verify may.bundle --output json",
    ],
    more: "Exit status: 0 the bill is proved, 1 it is not.",
    act: async ({ out, environment, setExitCode }, [file], { key, checkpoint, language }) => {
      const verdict = verifyBundle(await bytesOf(file), {
        crypto: { sha256: nodeSha256, hasher: nodeHasher(), verify: nodeVerify },
        trust: {
          key: key === undefined ? undefined : await keyOf(key),
          checkpoint: checkpoint === undefined ? undefined : await readTextFile(checkpoint),
        },
      });
      await out.show({
        value: verdict,
        ids: [verdict.isProved ? "proved" : "not proved"],
        text: () => verdictText(verdict, language ?? environment.language),
      });
      if (!verdict.isProved) setExitCode(notProvedExitCode);
    },
  });
}

async function bytesOf(file: string): Promise<Uint8Array> {
  if (file === "-") return new Uint8Array(await readStdin());
  try {
    return new Uint8Array(await readFile(file));
  } catch (cause) {
    throw new Failure("not_found", `Cannot read ${file}.`, { cause });
  }
}

/** A key is never the name of a file that is there. */
async function keyOf(text: string): Promise<string> {
  return existsSync(text) || text === "-" ? (await readTextFile(text)).trim() : text;
}

const words = {
  en: {
    proved: "PROVED: the events are in the signed log, and with the prices they make this bill.",
    refused: (count: number) =>
      `NOT PROVED: ${count} ${count === 1 ? "thing is" : "things are"} wrong.`,
    unproved: "What this does not prove:",
    more: (count: number) => `  … and ${count} more\n`,
    customer: "Customer",
    bill: "Bill",
    total: "Total",
    rests: "Rests on",
    lines: (lines: number, events: number) => `${lines} lines, ${events} events`,
    state: { final: "closed", provisional: "provisional" },
    hash: "SHA-256",
    key: "Key",
    pinned: "as given by you",
    own: "the bundle's own, not compared",
    checkpoint: "Checkpoint",
  },
  "zh-CN": {
    proved: "已证明：事件都在签名的日志中，按价格算出的正是这份账单。",
    refused: (count: number) => `未能证明：发现 ${count} 处错误。`,
    unproved: "以下各项未在此证明：",
    more: (count: number) => `  ……另有 ${count} 处\n`,
    customer: "客户",
    bill: "账单",
    total: "合计",
    rests: "依据",
    lines: (lines: number, events: number) => `${lines} 行，${events} 个事件`,
    state: { final: "已关账", provisional: "暂估" },
    hash: "SHA-256",
    key: "公钥",
    pinned: "由您指定",
    own: "包内自带，未核对",
    checkpoint: "检查点",
  },
} as const;

const failuresShownMax = 20;

function verdictText(verdict: Verdict, language: Language): string {
  const { bill, failures, failureCount, notes, isProved } = verdict;
  const say = words[language];
  const head =
    bill === undefined
      ? ""
      : fields([
          [say.customer, safe(bill.tenant)],
          [say.bill, `${bill.month} ${bill.invoice ?? ""} (${say.state[bill.state]})`],
          [say.total, money(safe(bill.total))],
          [say.rests, say.lines(bill.lines, bill.events)],
          [say.hash, bill.statementSha256],
          [say.key, `${bill.key ?? none} (${bill.isKeyPinned ? say.pinned : say.own})`],
          ...bill.checkpoints.map(({ size, root }): [string, string] => [
            `${say.checkpoint} ${size}`,
            root,
          ]),
        ]);
  if (isProved) {
    const unproved = notes.map(({ message }) => `  - ${safe(message[language])}\n`);
    return `${head}\n${say.proved}\n\n${say.unproved}\n${unproved.join("")}`;
  }
  const shown = failures
    .slice(0, failuresShownMax)
    .map(({ place, message }) => `  ${safe(place)}\n    ${safe(message[language])}\n`);
  const left = failureCount - shown.length;
  return `${head}\n${say.refused(failureCount)}\n${shown.join("")}${left > 0 ? say.more(left) : ""}`;
}
