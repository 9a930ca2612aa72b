/** Whether Millrace can run on this machine at all. */
import { existsSync, readFileSync } from "node:fs";

import { SetupError, exitCodes } from "./say.mjs";

const nodeMajorMin = 20;

/** @returns {{ hasApt: boolean, name: string }} */
export function checkPlatform() {
  const major = Number(process.versions.node.split(".")[0]);
  if (major < nodeMajorMin) {
    throw new SetupError(
      `Millrace needs Node ${nodeMajorMin} or newer to start (it brings its own Node 24); this is ` +
        `${process.version}.`,
      exitCodes.unavailable,
    );
  }
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new SetupError(
      `Millrace runs on Linux on x86-64 (a virtual machine will do); this is ` +
        `${process.platform} on ${process.arch}.`,
      exitCodes.unavailable,
    );
  }
  const release = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  const field = (/** @type {string} */ name) =>
    new RegExp(`^${name}="?([^"\\n]*)`, "m").exec(release)?.[1] ?? "";
  const isDebian = /\b(?:debian|ubuntu)\b/.test(`${field("ID")} ${field("ID_LIKE")}`);
  return { hasApt: isDebian, name: field("PRETTY_NAME") || "an unknown Linux" };
}
