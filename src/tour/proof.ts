/**
 * Does the bill prove itself? The month's bundle is downloaded and verified by a process that has no
 * credential and knows no server; then a copy with one unit more in one event must be refused.
 */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as wait } from "node:timers/promises";

import { z } from "zod";

import type { Client } from "#client/client.ts";
import { Failure } from "#kernel/failure.ts";

import type { Stage } from "./stage.ts";

const repositoryRoot = resolve(import.meta.dirname, "../..");
/** Events are signed for within a minute. */
const signedTimeoutMs = 90_000;
const lookMs = 2000;
const notProvedExitCode = 1;

const verdictSchema = z.object({
  isProved: z.boolean(),
  bill: z
    .object({ total: z.string(), lines: z.number(), events: z.number(), isKeyPinned: z.boolean() })
    .optional(),
  failures: z.array(z.object({ place: z.string(), message: z.object({ en: z.string() }) })),
  notes: z.array(z.object({ code: z.string() })),
});
type Verdict = z.output<typeof verdictSchema>;

export async function proveBill(
  client: Client,
  stage: Stage,
  bill: { readonly month: string; readonly total: string },
): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), "millrace-tour-proof-"));
  const file = join(home, `millrace-${bill.month}.bundle`);
  const key = join(home, "log.key");
  try {
    await writeFile(key, await bytesOf((await client.bytes("getLogKey")).chunks));
    await stage.step("The bill is verified offline, without a credential", async () => {
      const { bill: proved, notes } = await provedBundle(client, { home, file, key, ...bill });
      stage.fact(
        `${proved.total} CNY proved from ${proved.events} signed events on ${proved.lines} lines`,
      );
      stage.fact(`millrace verify millrace-${bill.month}.bundle --key log.key: PROVED`);
      if (!proved.isKeyPinned || notes.some(({ code }) => code === "open_usage")) {
        throw new Failure("internal", "Not everything on the bill was proved.");
      }
    });
    await stage.step("A tampered copy is refused, and the place is named", async () => {
      const tampered = join(home, "tampered.bundle");
      const bundle = await readFile(file, "latin1");
      await writeFile(tampered, bundle.replace(/^({"event".*"units":")/m, "$11"), "latin1");
      const { code, verdict } = await verify(home, tampered, key);
      const [first] = verdict.failures;
      if (code !== notProvedExitCode || verdict.isProved || first === undefined) {
        throw new Failure("internal", "A bundle that was tampered with was taken for a true one.");
      }
      stage.fact(`${first.place}:`);
      stage.fact(first.message.en);
    });
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

type Proved = Verdict & { readonly bill: NonNullable<Verdict["bill"]> };

/** The events of the last minute are waited for until they are in the log and signed. */
async function provedBundle(
  client: Client,
  of: {
    readonly home: string;
    readonly file: string;
    readonly key: string;
    readonly month: string;
    readonly total: string;
  },
): Promise<Proved> {
  const until = performance.now() + signedTimeoutMs;
  for (;;) {
    const { chunks } = await client.bytes("exportBundle", { params: { month: of.month } });
    await writeFile(of.file, await bytesOf(chunks));
    const { verdict } = await verify(of.home, of.file, of.key);
    const { isProved, bill, notes, failures } = verdict;
    const isWhole = bill?.total === of.total && !notes.some(({ code }) => code === "open_usage");
    if (isProved && bill !== undefined && isWhole) return { ...verdict, bill };
    if (performance.now() > until) {
      const [first] = failures;
      throw new Failure(
        "internal",
        first === undefined
          ? `The bundle proves ${bill?.total ?? "nothing"}; the bill says ${of.total}.`
          : `The bill is not proved: ${first.place}: ${first.message.en}`,
      );
    }
    await wait(lookMs);
  }
}

/** As somebody who has the file and nothing else: no credential, no address of a server. */
async function verify(
  home: string,
  file: string,
  key: string,
): Promise<{ readonly code: number | null; readonly verdict: Verdict }> {
  const entry = import.meta.filename.endsWith(".ts") ? "src/cli/main.ts" : "dist/cli/main.js";
  const argv = ["verify", file, "--key", key, "--output", "json"];
  const child = spawn(
    process.execPath,
    [...process.execArgv, join(repositoryRoot, entry), ...argv],
    {
      stdio: ["ignore", "pipe", "pipe"],
      cwd: home,
      env: { HOME: home, PATH: process.env["PATH"] },
    },
  );
  const ended = new Promise<number | null>((done, failed) => {
    child.once("close", done);
    child.once("error", failed);
  });
  const [code, out, said] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  if (out === "") throw new Failure("internal", `millrace verify said: ${said}`);
  return { code, verdict: verdictSchema.parse(JSON.parse(out)) };
}

async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}
