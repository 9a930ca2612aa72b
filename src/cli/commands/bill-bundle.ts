/** `bill bundle`: the proof of a month's bill as a file; `bill replay`: the same check on the server. */
import type { Command } from "commander";
import { z } from "zod";

import { define, flag, oneArgument, type Shell } from "#cli/define.ts";
import { pour, readTextFile, saveTo } from "#cli/files.ts";
import { fields } from "#cli/table.ts";
import { bytes, money, none, safe } from "#cli/text.ts";
import type { AnswerOf } from "#client/types.ts";
import { Failure } from "#kernel/failure.ts";
import { parseCheckpointText } from "#tlog/checkpoint.ts";
import { parseNote } from "#tlog/note.ts";

import { languageFlag, notProvedExitCode } from "./verify.ts";

export function addBillBundle(bill: Command, shell: Shell): void {
  define(bill, shell, {
    usage: "bundle <month>",
    summary: "A month's bill with its events and proofs; check it anywhere: millrace verify",
    args: oneArgument,
    options: z.object({
      to: flag(
        "--to <file>",
        "where to write it ('-' is stdout; default: millrace-MONTH.bundle)",
        z.string().optional(),
      ),
      checkpoint: flag(
        "--checkpoint <file>",
        "a checkpoint that you kept, so that the log is proved to go on from it",
        z.string().optional(),
      ),
      force: flag("--force", "replace an existing file", z.boolean().default(false)),
    }),
    examples: [
      "millrace bill bundle 2026-05",
      "millrace bill bundle 2026-05 --checkpoint april.checkpoint --to may.bundle",
    ],
    act: async ({ client, out, signal }, [month], { to, checkpoint, force }) => {
      const size = checkpoint === undefined ? undefined : await keptSize(checkpoint);
      const query = size === undefined ? {} : { checkpoint: size };
      const answer = await client.bytes("exportBundle", { params: { month }, query }, { signal });
      if (to === "-") {
        await pour(out, answer.chunks);
        return;
      }
      const file = to ?? `millrace-${month}.bundle`;
      const written = await saveTo(file, answer.chunks, { force });
      await out.show({
        value: { file, bytes: written },
        ids: [file],
        text: () => `Wrote ${bytes(written)} to ${file}. Check it with: millrace verify ${file}\n`,
      });
    },
  });

  define(bill, shell, {
    usage: "replay <month>",
    summary: "Make a month's bill again from its events, on the server, and compare the bytes",
    args: oneArgument,
    options: z.object({ language: languageFlag }),
    examples: ["millrace bill replay 2026-05"],
    act: async ({ client, out, environment, setExitCode }, [month], { language }) => {
      const value = await client.call("replayMonth", { params: { month } });
      const shownIn = language ?? environment.language;
      await out.show({
        value,
        ids: [value.isSame ? "same" : "different"],
        text: () => replayText(value, shownIn),
      });
      if (!value.isSame) setExitCode(notProvedExitCode);
    },
  });
}

async function keptSize(file: string): Promise<number> {
  const note = parseNote(await readTextFile(file));
  const checkpoint = note === undefined ? undefined : parseCheckpointText(note.text);
  if (checkpoint !== undefined) return checkpoint.size;
  throw new Failure("invalid_request", `${file} is not a checkpoint as the log publishes it.`);
}

const words = {
  en: {
    same: "The events make the same bill, byte for byte.",
    different: "The events make another bill. The first difference:",
    bill: "Bill",
    total: "Total",
    lines: "Lines",
    events: "Events",
    stored: "SHA-256 of the bill",
    replayed: "SHA-256 made again",
  },
  "zh-CN": {
    same: "由事件重新算出的账单与原账单逐字节相同。",
    different: "由事件重新算出的账单与原账单不同。第一处差异：",
    bill: "账单",
    total: "合计",
    lines: "行数",
    events: "事件数",
    stored: "账单的 SHA-256",
    replayed: "重算的 SHA-256",
  },
} as const;

function replayText(value: AnswerOf<"replayMonth">, language: "en" | "zh-CN"): string {
  const say = words[language];
  const head = fields([
    [say.bill, `${value.month} ${value.invoice ?? value.state}`],
    [say.total, money(value.total)],
    [say.lines, String(value.lines)],
    [say.events, String(value.events)],
    [say.stored, value.storedSha256],
    [say.replayed, value.replayedSha256 ?? none],
  ]);
  const notes = value.notes.map((note) => `- ${safe(note.message[language])}\n`).join("");
  if (value.isSame) return `${head}${notes}${say.same}\n`;
  const [first, ...more] = value.differences.map(
    ({ place, message }) => `  ${safe(place)}: ${safe(message[language])}\n`,
  );
  return `${head}${notes}${say.different}\n${first ?? ""}${more.join("")}`;
}
