/** What a person reads when the cloud is up. */
import { existsSync } from "node:fs";
import { join } from "node:path";

import { images } from "#catalog/images.ts";

import { newStartCode } from "#identity/operator.ts";

import type { App } from "./app.ts";
import { operatorFile } from "./first-key.ts";
import type { SiteLook } from "./sites.ts";

/** @param root Where the program is: a clone, or what an image has of one. */
export async function welcome(app: App, startedAt: number, root: string): Promise<string> {
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  return [
    "",
    `Millrace is up after ${seconds} s.`,
    "",
    `  URL         ${app.url ?? ""}`,
    ...credential(app),
    `  Data        ${app.data.path}`,
    ...app.looks.map((look) => `  Machines    ${look.site}: ${execution(look)}${look.reason}`),
    ...(await imagesToCome(app)),
    "",
    "Try:",
    ...toTry(root),
    "",
    ...(await consoleLink(app, root)),
    "",
  ].join("\n");
}

function toTry(root: string): string[] {
  const said = program(root);
  const tour = ["npm run tour", "rent a real VM, run a real job, read the bill"] as const;
  const lines = [
    [`${said} login --local`, "sign in as the operator on this machine"],
    [`${said} offers`, "what can be rented, and its price"],
    ...(isClone(root) ? [tour] : []),
  ] as const;
  return lines.map(([command, does]) => `  ${command.padEnd(30)}  ${does}`);
}

/** In an image there is neither what one types in a clone nor what plays the tour. */
function isClone(root: string): boolean {
  return existsSync(join(root, "src"));
}

function program(root: string): string {
  return isClone(root) ? "./millrace" : "millrace";
}

async function consoleLink({ db, now, publicUrl = "" }: App, root: string): Promise<string[]> {
  const code = await db.transaction((tx) => newStartCode(tx, now()));
  return [
    `Console, signed in as the operator (once, within an hour; later: ${program(root)} console):`,
    `  ${publicUrl.replace(/\/$/, "")}/sign-in#code=${code}`,
  ];
}

function credential(app: App): string[] {
  if (app.operator !== undefined) {
    return [`  Operator    ${app.operator.secret}`, "              (shown this once; keep it)"];
  }
  return existsSync(operatorFile(app.data.path))
    ? ["  Operator    the key was shown at the first start (operator.json in the data directory)"]
    : [
        "  Operator    the key was shown at the first start (lost? --role operator-key makes another)",
      ];
}

function execution({ execution: how }: SiteLook): string {
  switch (how) {
    case "kvm":
      return "KVM. ";
    case "emulated":
      return "emulated, therefore slow. ";
    case "simulated":
      return "simulated. ";
    case undefined:
      return "none can run now. ";
  }
}

async function imagesToCome({ db }: App): Promise<string[]> {
  return (await images(db))
    .filter(({ state }) => state === "building")
    .map(
      ({ name }) =>
        `  Images      ${name} is being checked; where it is missing, built, in a minute or two`,
    );
}
