/** `operation show|wait`: long work by its id. */
import type { Command } from "commander";

import { define, group, noOptions, oneArgument, type Shell } from "#cli/define.ts";
import { fields } from "#cli/table.ts";
import { because, time } from "#cli/text.ts";
import { tookText, waitFor, waitOptions, type OperationRecord } from "#cli/waiting.ts";

export function addOperations(program: Command, shell: Shell): void {
  const operation = group(program, "operation", "Long work");

  define(operation, shell, {
    usage: "show <operation>",
    summary: "One operation, by its id",
    args: oneArgument,
    options: noOptions,
    act: async ({ client, out }, [operationId]) => {
      const value = await client.call("getOperation", { params: { operationId } });
      await out.show({ value, ids: [value.id], text: () => operationText(value) });
    },
  });

  define(operation, shell, {
    usage: "wait <operation>",
    summary: "Wait until it has ended; a failed one fails this command",
    args: oneArgument,
    options: waitOptions.omit({ wait: true }),
    act: async (session, [operationId], { timeout }) => {
      const begun = await session.client.call("getOperation", { params: { operationId } });
      const value = await waitFor(session, begun, {
        timeoutSeconds: timeout,
        what: `the ${begun.kind} is under way`,
      });
      await session.out.show({
        value,
        ids: [value.id],
        text: () => `The ${value.kind} succeeded ${tookText(value)}.\n`,
      });
    },
  });
}

function operationText(operation: OperationRecord): string {
  return fields([
    ["Kind", operation.kind],
    ["State", operation.state],
    ["Why", operation.reason === null ? undefined : because(operation.reason)],
    ["Note", operation.note ?? undefined],
    ["Of", operation.resourceId],
    ["Begun", time(operation.createdAt)],
    ["Ended", operation.endedAt === null ? undefined : time(operation.endedAt)],
    ["Id", operation.id],
  ]);
}
