/** What the chart's notes say to put into a cluster's settings for the programs beside customers' jobs. */
import { parse as parseYaml } from "yaml";
import { z } from "zod";

import type { Values } from "./chart.ts";
import { rendered } from "./objects.ts";

export const labelSelector = z.object({ matchLabels: z.record(z.string(), z.string()) });

const said = z.strictObject({
  agentImage: z.string(),
  agentUrl: z.string(),
  agentPeer: z.union([
    z.strictObject({ namespaceSelector: labelSelector, podSelector: labelSelector }),
    z.strictObject({ ipBlock: z.strictObject({ cidr: z.string() }) }),
  ]),
  agentPorts: z.array(z.int()).optional(),
});

export function jobLines(over: Values): z.infer<typeof said> | undefined {
  const notes = rendered(over).find(({ file }) => file.endsWith("NOTES.txt"))?.text ?? "";
  const [, piece] = /\n {2}jobs:\n((?: {4}.*\n?)+)/.exec(notes) ?? [];
  return piece === undefined ? undefined : said.parse(parseYaml(piece));
}
