/** X.509 certificates for a server and clients of a test, made on the spot: ECDSA P-256, one day long. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

export interface Issued {
  readonly cert: string;
  readonly key: string;
}

export interface Authority extends Issued {
  /** For a server at 127.0.0.1 and localhost, or a client of that name in those groups. */
  issue(name: string, groups?: readonly string[]): Issued;
}

export function newAuthority(): Authority {
  const own = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const subject = distinguishedName("millrace test authority", []);
  const certify = (to: KeyObject, name: Buffer, isAuthority: boolean): string =>
    pem("CERTIFICATE", certificate({ to, name, issuer: subject, by: own.privateKey, isAuthority }));
  return {
    cert: certify(own.publicKey, subject, true),
    key: keyPem(own.privateKey),
    issue(name, groups = []) {
      const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
      const cert = certify(pair.publicKey, distinguishedName(name, groups), false);
      return { cert, key: keyPem(pair.privateKey) };
    },
  };
}

const dayMs = 86_400_000;
const ecdsaWithSha256 = sequence(objectId([1, 2, 840, 10045, 4, 3, 2]));

function certificate(of: {
  to: KeyObject;
  name: Buffer;
  issuer: Buffer;
  by: KeyObject;
  isAuthority: boolean;
}): Buffer {
  const { to, name, issuer, by, isAuthority } = of;
  const body = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaWithSha256,
    issuer,
    sequence(time(Date.now() - dayMs), time(Date.now() + dayMs)),
    name,
    to.export({ type: "spki", format: "der" }),
    tagged(0xa3, sequence(basicConstraints(isAuthority), ...(isAuthority ? [] : [alternatives()]))),
  );
  const signature = sign("sha256", body, by);
  return sequence(body, ecdsaWithSha256, tagged(0x03, Buffer.from([0]), signature));
}

function basicConstraints(isAuthority: boolean): Buffer {
  const inside = isAuthority ? sequence(tagged(0x01, Buffer.from([0xff]))) : sequence();
  return sequence(
    objectId([2, 5, 29, 19]),
    tagged(0x01, Buffer.from([0xff])),
    tagged(0x04, inside),
  );
}

function alternatives(): Buffer {
  const names = sequence(
    tagged(0x82, Buffer.from("localhost")),
    tagged(0x87, Buffer.from([127, 0, 0, 1])),
  );
  return sequence(objectId([2, 5, 29, 17]), tagged(0x04, names));
}

/** Kubernetes reads the user from the common name and the groups from the organizations. */
function distinguishedName(name: string, groups: readonly string[]): Buffer {
  const part = (type: number, value: string): Buffer =>
    tagged(0x31, sequence(objectId([2, 5, 4, type]), tagged(0x0c, Buffer.from(value))));
  return sequence(...groups.map((group) => part(10, group)), part(3, name));
}

function time(at: number): Buffer {
  const text = new Date(at).toISOString().replace(/[-:T]/g, "").slice(2, 14);
  return tagged(0x17, Buffer.from(`${text}Z`));
}

function objectId(parts: readonly number[]): Buffer {
  const [first = 0, second = 0, ...rest] = parts;
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const digits = [part & 0x7f];
    for (let left = part >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80);
    bytes.push(...digits);
  }
  return tagged(0x06, Buffer.from(bytes));
}

function integer(bytes: Buffer): Buffer {
  return tagged(0x02, bytes);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, ...parts);
}

/** One value in DER: its tag, its length, itself. */
function tagged(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  let size: number[];
  if (length < 0x80) size = [length];
  else if (length < 0x100) size = [0x81, length];
  else size = [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

function keyPem(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}
