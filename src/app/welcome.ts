/** What a person reads when the cloud is up. */
import { existsSync } from "node:fs";

import { images } from "#catalog/images.ts";

import { newStartCode } from "#identity/operator.ts";

import type { App } from "./app.ts";
import { operatorFile } from "./first-key.ts";
import type { SiteLook } from "./sites.ts";

export async function welcome(app: App, startedAt: number): Promise<string> {
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
    "  ./millrace login --local        sign in as the operator on this machine",
    "  ./millrace offers               what can be rented, and its price",
    "  npm run tour                    rent a real VM, run a real job, read the bill",
    "",
    ...(await consoleLink(app)),
    "",
  ].join("\n");
}

async function consoleLink({ db, now, publicUrl = "" }: App): Promise<string[]> {
  const code = await db.transaction((tx) => newStartCode(tx, now()));
  return [
    "Console, signed in as the operator (once, within an hour; later: ./millrace console):",
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
