import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test } from "vitest";

import { parseSshPublicKey } from "./ssh-key.ts";

// A key made for this test, and what `ssh-keygen -l` says of it.
const known = {
  line: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f",
  fingerprint: "SHA256:ZkAslGjFiUHdGf/WUL8rQvkib4PTvQatUV0OUQSncCA",
};

function hasSshKeygen(): boolean {
  try {
    execFileSync("sh", ["-c", "command -v ssh-keygen"]);
    return true;
  } catch {
    return false;
  }
}

test("the comment is dropped and the fingerprint is OpenSSH's", () => {
  expect(parseSshPublicKey(`${known.line} me@laptop`)).toEqual(known);
});

test.runIf(hasSshKeygen()).each([
  ["ed25519", ["-t", "ed25519"]],
  ["RSA", ["-t", "rsa", "-b", "2048"]],
  ["ECDSA P-256", ["-t", "ecdsa", "-b", "256"]],
  ["ECDSA P-521", ["-t", "ecdsa", "-b", "521"]],
])("agrees with ssh-keygen on %s", (_, flags) => {
  const directory = mkdtempSync(join(tmpdir(), "millrace-ssh-key-"));
  try {
    const path = join(directory, "key");
    execFileSync("ssh-keygen", [...flags, "-q", "-N", "", "-C", "a comment", "-f", path]);
    const shown = execFileSync("ssh-keygen", ["-l", "-f", `${path}.pub`], { encoding: "utf8" });
    const parsed = parseSshPublicKey(readFileSync(`${path}.pub`, "utf8"));
    expect(parsed.fingerprint).toBe(shown.split(" ")[1]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("what only looks like a key is refused", () => {
  const [type = "", encoded = ""] = known.line.split(" ");
  const truncated = Buffer.from(encoded, "base64").subarray(0, -1).toString("base64");
  for (const line of [`ssh-rsa ${encoded}`, `${type} ${truncated}`, `${type} AAAA`, `${type} =`]) {
    expect(() => parseSshPublicKey(line)).toThrow("public key");
  }
});

test("a short RSA key is refused with its length", () => {
  const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
  const { n = "", e = "" } = publicKey.export({ format: "jwk" });
  const fields = [Buffer.from("ssh-rsa"), mpint(e), mpint(n)].map((field) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(field.length);
    return Buffer.concat([length, field]);
  });
  const line = `ssh-rsa ${Buffer.concat(fields).toString("base64")}`;
  expect(() => parseSshPublicKey(line)).toThrow("1024 bits");
});

function mpint(text: string): Buffer {
  const number = Buffer.from(text, "base64url");
  return (number[0] ?? 0) > 127 ? Buffer.concat([Buffer.of(0), number]) : number;
}
