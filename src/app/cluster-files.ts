/** The files of `--clusters`: each says one cluster. What is wrong in one is said with its place in it. */
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";

import { parseDocument } from "yaml";
import type { z } from "zod";

import { Failure } from "#kernel/failure.ts";
import { clusterSettings, type ClusterSettings } from "#providers/kubevirt/driver/settings.ts";

export interface ClusterFile {
  readonly path: string;
  /** With the path of its kubeconfig made absolute. */
  readonly settings: ClusterSettings;
}

/** Sites that are not clusters. */
const takenSites: readonly string[] = ["local", "simulated"];
const bytesMax = 1_048_576;
const problemsMax = 10;

/** Throws `invalid_request` with all that is wrong in the first file that is wrong. */
export async function readClusterFiles(paths: readonly string[]): Promise<readonly ClusterFile[]> {
  const files: ClusterFile[] = [];
  for (const path of paths) {
    const settings = await readClusterFile(path);
    const { site } = settings;
    if (takenSites.includes(site)) {
      throw refused(path, [`site: ${site} is not a cluster's name; choose another.`]);
    }
    const same = files.find((each) => each.settings.site === site);
    if (same !== undefined) {
      throw refused(path, [`site: ${site} is that of ${same.path} too; each cluster has its own.`]);
    }
    files.push({ path, settings });
  }
  return files;
}

async function readClusterFile(path: string): Promise<ClusterSettings> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw refused(path, ["it cannot be read; name a file that is there and may be read."], cause);
  });
  if (text.length > bytesMax) throw refused(path, [`it is longer than ${bytesMax} bytes.`]);
  // JSON is YAML too.
  const document = parseDocument(text, { prettyErrors: true });
  if (document.errors.length > 0) {
    throw refused(
      path,
      document.errors.map(({ message }) => `it is neither YAML nor JSON: ${message.trim()}`),
    );
  }
  const parsed = clusterSettings.safeParse(document.toJS({ maxAliasCount: 100 }));
  if (!parsed.success) throw refused(path, problemsOf(parsed.error));
  const { kubeconfig, ...rest } = parsed.data;
  if (kubeconfig === undefined) return rest;
  return { ...rest, kubeconfig: resolve(dirname(path), kubeconfig) };
}

function problemsOf({ issues }: z.ZodError): string[] {
  return issues.flatMap((issue) => {
    const at = issue.path.map(String);
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => `${[...at, key].join(".")}: there is no such setting.`);
    }
    return [`${at.length === 0 ? "it" : at.join(".")}: ${issue.message}.`];
  });
}

function refused(path: string, problems: readonly string[], cause?: unknown): Failure {
  const more = problems.length - problemsMax;
  const said = problems.slice(0, problemsMax).join(" ");
  return new Failure(
    "invalid_request",
    `The cluster file ${path} cannot be used: ${said}${more > 0 ? ` And ${more} more.` : ""} ` +
      "What it may say is in docs/operate/KUBEVIRT.md.",
    { ...(cause === undefined ? {} : { cause }), details: { path, problems } },
  );
}
