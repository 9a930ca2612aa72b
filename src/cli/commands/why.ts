/** `why`: why a lease or a job waits. */
import type { Command } from "commander";

import { define, noOptions, oneArgument, type Shell } from "#cli/define.ts";
import { kinds, resolve } from "#cli/resolve.ts";
import type { Session } from "#cli/session.ts";
import { fields } from "#cli/table.ts";
import { none, safe, time } from "#cli/text.ts";
import type { AnswerOf } from "#client/types.ts";
import { Failure } from "#kernel/failure.ts";

export function addWhy(program: Command, shell: Shell): void {
  define(program, shell, {
    usage: "why <request>",
    summary: "Why a lease or a job waits, in which place, and when it will start",
    more: "Takes a name, an id, or the beginning of an id.\n",
    args: oneArgument,
    options: noOptions,
    examples: ["millrace why training", "millrace why 0190c2b4"],
    act: async (session, [text]) => {
      const requestId = await requestOf(session, text);
      const value = await session.client.call("explainRequest", { params: { requestId } });
      await session.out.show({ value, ids: [requestId], text: () => whyText(value) });
    },
  });
}

async function requestOf(session: Session, text: string): Promise<string> {
  try {
    return await resolve(session, kinds.job, text);
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "not_found") throw error;
    return resolve(session, kinds.lease, text);
  }
}

function whyText(why: AnswerOf<"explainRequest">): string {
  const { start, position, waiting, askedAt } = why;
  const head = fields([
    ["Request", `${why.kind} ${safe(why.name)}`],
    ["State", why.state],
    ["Class", why.workClass],
    ["Asked", askedAt === null ? none : time(askedAt)],
    ["Waits for", why.pool],
    [
      "Members",
      why.gang === null
        ? undefined
        : `${why.gang.size}${why.gang.fits === null ? "" : `, room now for ${why.gang.fits}`}`,
    ],
    ["Place", position === null ? none : `${position} of ${waiting ?? position}`],
    ["Starts", start?.likely ? `about ${time(start.likely)}` : none],
    ["At the earliest", start?.earliest ? time(start.earliest) : none],
    ["At the latest", start?.latest ? time(start.latest) : none],
  ]);
  return `${head}${safe(why.text)}\n`;
}
