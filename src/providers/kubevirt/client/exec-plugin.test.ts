import { expect, test } from "vitest";

import { ExecCredentials } from "./exec-plugin.ts";

const call = { signal: new AbortController().signal };
const environment = { PATH: process.env["PATH"] };

test("a plug-in that fails says what it said; one that is not there says how to get it", async () => {
  const failing = new ExecCredentials(
    { apiVersion: "v1", command: "sh", args: ["-c", "echo no key >&2; exit 3"], env: {} },
    environment,
  );
  const failed = await failing.current(call.signal).catch((error: unknown) => error);
  expect(failed).toMatchObject({
    name: "CredentialError",
    cause: { message: "it ended with 3: no key" },
  });
  const missing = new ExecCredentials(
    {
      apiVersion: "v1",
      command: "no-such-program",
      args: [],
      env: {},
      installHint: "ask the site",
    },
    environment,
  );
  await expect(missing.current(call.signal)).rejects.toThrow("(ask the site)");
  const talking = new ExecCredentials(
    { apiVersion: "v1", command: "echo", args: ["hello"], env: {} },
    environment,
  );
  await expect(talking.current(call.signal)).rejects.toThrow("printed no ExecCredential");
});
