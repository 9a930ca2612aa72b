/**
 * Names, ids and beginnings of ids: wherever an id is meant, all three will do. A name or a
 * beginning that fits several is refused with the list of them, never guessed.
 */
import { Failure } from "#kernel/failure.ts";

import type { Session } from "./session.ts";
import { time } from "./text.ts";

const prefixCharactersMin = 6;
const candidatesShownMax = 10;
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const uuidBeginning = /^[0-9a-f][0-9a-f-]*$/i;

interface Candidate {
  readonly id: string;
  readonly name: string;
  readonly createdAt?: string | null;
  readonly state?: string;
}

export interface Kind {
  readonly noun: string;
  readonly list: string;
  /** Those of this name, where the API can look them up by it. */
  readonly named?: (session: Session, name: string) => AsyncIterable<Candidate>;
  readonly all: (session: Session) => AsyncIterable<Candidate>;
  /** States in which something is over: its name may be in use again. */
  readonly over?: readonly string[];
}

export const kinds = {
  lease: {
    noun: "lease",
    list: "millrace lease list",
    named: ({ client }, name) => client.items("listLeases", { query: { name } }),
    all: ({ client }) => client.items("listLeases"),
    over: ["released"],
  },
  group: {
    noun: "group",
    list: "millrace group list",
    all: ({ client }) => client.items("listGroups"),
  },
  job: {
    noun: "job",
    list: "millrace job list",
    named: ({ client }, name) => client.items("listJobs", { query: { name } }),
    all: ({ client }) => client.items("listJobs"),
    over: ["succeeded", "failed", "timed_out", "canceled"],
  },
  tenant: {
    noun: "tenant",
    list: "millrace tenant list",
    all: ({ client }) => client.items("listTenants"),
  },
  project: {
    noun: "project",
    list: "millrace project list",
    all: ({ client }) => client.items("listProjects"),
  },
  user: {
    noun: "user",
    list: "millrace user list",
    all: ({ client }) => client.items("listUsers"),
  },
  key: {
    noun: "key",
    list: "millrace key list",
    all: ({ client }) => client.items("listApiKeys"),
  },
  sshKey: {
    noun: "SSH key",
    list: "millrace ssh-key list",
    all: ({ client }) => client.items("listSshKeys"),
  },
  host: {
    noun: "host",
    list: "millrace host list",
    all: ({ client }) => client.items("listHosts"),
  },
  orphan: {
    noun: "orphan",
    list: "millrace orphan list",
    all: ({ client }) => orphans(client.items("listOrphans")),
  },
  file: {
    noun: "file",
    list: "millrace file list",
    all: ({ client }) => client.items("listFiles"),
  },
  subscription: {
    noun: "subscription",
    list: "millrace subscription list",
    all: async function* ({ client }) {
      for await (const { id, name, state, orderedAt } of client.items("listSubscriptions")) {
        yield { id, name, state, createdAt: orderedAt };
      }
    },
    over: ["ended"],
  },
  profile: {
    noun: "price profile",
    list: "millrace profile list",
    all: ({ client }) => client.items("listPriceProfiles"),
  },
} as const satisfies Record<string, Kind>;

/** They have no name but their id. */
async function* orphans<T extends { id: string }>(
  items: AsyncIterable<T>,
): AsyncGenerator<T & Candidate> {
  for await (const item of items) yield { ...item, name: item.id };
}

export function snapshotsOf(leaseId: string): Kind {
  return {
    noun: "snapshot",
    list: "millrace snapshot list",
    all: ({ client }) => client.items("listSnapshots", { params: { leaseId } }),
  };
}

/** The id that is meant. */
export async function resolve(session: Session, kind: Kind, text: string): Promise<string> {
  if (uuid.test(text)) return text.toLowerCase();
  if (kind.named !== undefined && /^[a-z][a-z0-9-]{0,62}$/.test(text)) {
    const named = await matching(kind.named(session, text), (item) => item.name === text);
    if (named.length > 0) return only(kind, text, named);
  }
  const mayBeBeginning = text.length >= prefixCharactersMin && uuidBeginning.test(text);
  const beginning = text.toLowerCase();
  const fitting = await matching(
    kind.all(session),
    (item) => item.name === text || (mayBeBeginning && item.id.startsWith(beginning)),
  );
  const named = fitting.filter((item) => item.name === text);
  return only(kind, text, named.length > 0 ? named : fitting);
}

async function matching(
  items: AsyncIterable<Candidate>,
  fits: (item: Candidate) => boolean,
): Promise<Candidate[]> {
  const found: Candidate[] = [];
  for await (const item of items) if (fits(item)) found.push(item);
  return found;
}

/** One that is not over is meant before those that are. */
function only(kind: Kind, text: string, found: readonly Candidate[]): string {
  const current = found.filter((item) => !(kind.over ?? []).includes(item.state ?? ""));
  const meant = current.length === 1 ? current : found;
  const [first] = meant;
  if (meant.length === 1 && first !== undefined) return first.id;
  const shown = JSON.stringify(text);
  if (first === undefined) {
    throw new Failure(
      "not_found",
      `There is no ${kind.noun} with the name or the id ${shown}. See: ${kind.list}`,
    );
  }
  const lines = meant.slice(0, candidatesShownMax).map((item) => `  ${describe(item)}`);
  const more =
    meant.length > candidatesShownMax ? `\n  and ${meant.length - candidatesShownMax} more` : "";
  throw new Failure(
    "conflict",
    `${shown} fits ${meant.length} ${kind.noun}s; give the id of one:\n${lines.join("\n")}${more}\n`,
  );
}

function describe(item: Candidate): string {
  const parts = [item.id, item.name, item.state, item.createdAt && time(item.createdAt)];
  return parts.filter((part) => typeof part === "string" && part !== "").join("  ");
}
