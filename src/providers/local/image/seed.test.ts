/** The cloud-init seed: what is in it, and that names and keys cannot break out of it. */
import { expect, test } from "vitest";

import { seedFiles } from "./seed.ts";

const base = { instanceId: "i-1", hostname: "web" };

test("an image with our agent gets name and user data, and no account", () => {
  const files = seedFiles({ ...base, userData: "#!/bin/sh\necho hi\n" });
  expect(Object.keys(files).toSorted()).toEqual(["meta-data", "user-data", "vendor-data"]);
  expect(files["user-data"]).toBe("#!/bin/sh\necho hi\n");
  expect(files["vendor-data"]).toBe("#cloud-config\n{}\n");
});

test("a foreign image gets its account with keys, and addresses by card", () => {
  const key = 'ssh-ed25519 AAAA "me\n  evil: true';
  const files = seedFiles({
    ...base,
    account: { name: "ann", authorizedKeys: [key] },
    network: [
      { mac: "52:54:00:00:00:01", address: "10.0.2.15/24", gateway: "10.0.2.2", dns: ["10.0.2.3"] },
    ],
  });
  const vendor: unknown = JSON.parse((files["vendor-data"] ?? "").replace("#cloud-config\n", ""));
  expect(vendor).toMatchObject({ users: [{ name: "ann", ssh_authorized_keys: [key] }] });
  expect(JSON.parse(files["network-config"] ?? "")).toEqual({
    version: 2,
    ethernets: {
      card0: {
        match: { macaddress: "52:54:00:00:00:01" },
        addresses: ["10.0.2.15/24"],
        routes: [{ to: "0.0.0.0/0", via: "10.0.2.2" }],
        nameservers: { addresses: ["10.0.2.3"] },
      },
    },
  });
});
