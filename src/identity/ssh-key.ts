/** OpenSSH public keys: checks that a line is what it says it is, and computes its fingerprint. */
import { createHash } from "node:crypto";

import { Failure } from "#kernel/failure.ts";

export interface SshPublicKey {
  /** Type and key, without the comment. */
  readonly line: string;
  /** `SHA256:…`, as `ssh-keygen -l` shows it. */
  readonly fingerprint: string;
}

const rsaBitsMin = 2048;

/** Number of length-prefixed fields of each type's blob (RFC 4253, 5656, 8709; PROTOCOL.u2f). */
const fieldCounts: Readonly<Record<string, number>> = {
  "ssh-ed25519": 2,
  "ssh-rsa": 3,
  "ecdsa-sha2-nistp256": 3,
  "ecdsa-sha2-nistp384": 3,
  "ecdsa-sha2-nistp521": 3,
  "sk-ssh-ed25519@openssh.com": 3,
};

/** Throws `invalid_request`. */
export function parseSshPublicKey(text: string): SshPublicKey {
  const [type = "", encoded = ""] = text.trim().split(" ");
  const blob = Buffer.from(encoded, "base64");
  const fields = fieldsOf(blob);
  if (fields === undefined || fields.length !== fieldCounts[type] || String(fields[0]) !== type) {
    throw refused("is not a whole OpenSSH public key");
  }
  const [, second, third] = fields;
  if (type === "ssh-ed25519" && second?.length !== 32) throw refused("has no Ed25519 key in it");
  if (type === "ssh-rsa" && bitsOf(third) < rsaBitsMin) {
    throw refused(`is an RSA key of ${bitsOf(third)} bits; ${rsaBitsMin} is the least`);
  }
  const digest = createHash("sha256").update(blob).digest("base64").replace(/=+$/, "");
  return { line: `${type} ${blob.toString("base64")}`, fingerprint: `SHA256:${digest}` };
}

/** `undefined` unless the fields fill the blob exactly. */
function fieldsOf(blob: Buffer): Buffer[] | undefined {
  const fields: Buffer[] = [];
  let offset = 0;
  while (offset < blob.length) {
    if (offset + 4 > blob.length) return undefined;
    const from = offset + 4;
    const until = from + blob.readUInt32BE(offset);
    if (until > blob.length) return undefined;
    fields.push(blob.subarray(from, until));
    offset = until;
  }
  return fields;
}

/** Of an mpint: its first byte is zero where the number's top bit is set. */
function bitsOf(mpint: Buffer | undefined): number {
  if (mpint === undefined) return 0;
  const start = mpint.findIndex((byte) => byte !== 0);
  const first = mpint[start];
  return first === undefined ? 0 : (mpint.length - start - 1) * 8 + (32 - Math.clz32(first));
}

function refused(why: string): Failure {
  return new Failure("invalid_request", `The public key ${why}.`, {
    details: { fields: [{ path: "publicKey", message: why }] },
  });
}
