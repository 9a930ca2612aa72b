/** `log`: the metering log, which anybody may check. */
import type { Command } from "commander";
import { z } from "zod";

import { define, group, noArguments, noOptions, oneArgument, type Shell } from "#cli/define.ts";
import { pour } from "#cli/files.ts";
import { fields } from "#cli/table.ts";
import { Failure } from "#kernel/failure.ts";

const number = z.coerce.number().int().min(0);

export function addLog(program: Command, shell: Shell): void {
  const log = group(program, "log", "The metering log: what was signed, and proofs of it");

  define(log, shell, {
    usage: "checkpoint",
    summary: "The latest signed checkpoint; keep some, they prove what the log was",
    args: noArguments,
    options: noOptions,
    examples: ["millrace log checkpoint > checkpoint-$(date +%F)"],
    act: async ({ client, out }) => {
      const { chunks } = await client.bytes("getLogCheckpoint");
      await pour(out, chunks);
    },
  });

  define(log, shell, {
    usage: "key",
    summary: "The key that checkpoints are checked with",
    args: noArguments,
    options: noOptions,
    act: async ({ client, out }) => {
      const { chunks } = await client.bytes("getLogKey");
      await pour(out, chunks);
    },
  });

  define(log, shell, {
    usage: "tile <path>",
    summary: "A hash tile, as bytes: 0/x001/067, or 0/x001/067.p/12 while partial",
    args: oneArgument,
    options: noOptions,
    examples: ["millrace log tile 0/000 > tile"],
    act: async ({ client, out }, [tile]) => {
      const { chunks } = await client.bytes("getLogTile", { params: { tile } });
      await pour(out, chunks);
    },
  });

  define(log, shell, {
    usage: "consistency <from> <to>",
    summary: "Proof that the log of one size is the beginning of that of another",
    args: z.tuple([number, number]),
    options: noOptions,
    act: async ({ client, out }, [from, to]) => {
      const value = await client.call("getLogConsistency", { query: { from, to } });
      await out.show({
        value,
        ids: value.hashes,
        text: () => value.hashes.map((hash) => `${hash}\n`).join("") || "The sizes are the same.\n",
      });
    },
  });

  define(log, shell, {
    usage: "proof <entry>",
    summary: "Proof that an event of yours is in the log, by its log entry",
    args: z.tuple([number]),
    options: noOptions,
    examples: ["millrace log proof 4711"],
    act: async ({ client, out }, [leafIndex]) => {
      const value = await client.call("getUsageEventProof", {
        params: { leafIndex: `${leafIndex}` },
      });
      await out.show({
        value,
        ids: value.hashes,
        text: () =>
          `${fields([
            ["Log entry", `${value.leafIndex} of ${value.size}`],
            ["Leaf hash", value.leafHash],
            ["Proof", value.hashes.join("\n") || "it is the only one"],
          ])}\n${value.checkpoint}`,
      });
    },
  });

  define(log, shell, {
    usage: "check",
    summary: "For the operator: rebuild the log and the daily sums from the events, and compare",
    args: noArguments,
    options: noOptions,
    act: async ({ client, out }) => {
      const value = await client.call("checkUsage");
      const { leaves, problems } = value;
      await out.show({
        value,
        ids: problems,
        text: () =>
          problems.length === 0
            ? `The log of ${leaves} entries and the daily sums follow from the events.\n`
            : problems.map((problem) => `${problem}\n`).join(""),
      });
      if (problems.length > 0) {
        throw new Failure("internal", `${problems.length} differences were found.`);
      }
    },
  });
}
