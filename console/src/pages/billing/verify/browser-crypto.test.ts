/** The crypto of a browser says what that of the server says. */
import { expect, test } from "vitest";

import { nodeSha256, nodeSigningKey } from "#tlog/node-crypto.ts";

import { browserSha256, NoWebCrypto, Signatures } from "./browser-crypto.ts";

const text = new TextEncoder().encode("log\n1\nroot\n");
const signer = nodeSigningKey(new Uint8Array(32).fill(7));
const signature = signer.sign(text);

test("SHA-256 is that of the server, at its place", () => {
  for (const length of [0, 1, 55, 56, 64, 1000]) {
    const data = new Uint8Array(length).fill(length % 251);
    const [one, other] = [new Uint8Array(40), new Uint8Array(40)];
    browserSha256(data, one, 4);
    nodeSha256(data, other, 4);
    expect(one).toEqual(other);
  }
});

test("a signature is right, and of one changed bit it is not", async () => {
  const changed = Uint8Array.from(signature, (byte, index) => (index === 0 ? byte ^ 1 : byte));
  const signatures = new Signatures();
  signatures.gather(signer.publicKey, text, signature);
  signatures.gather(signer.publicKey, text, changed);
  expect(await signatures.answer(globalThis.crypto.subtle)).toBe(1);
  expect(signatures.verify(signer.publicKey, text, signature)).toBe(true);
  expect(signatures.verify(signer.publicKey, text, changed)).toBe(false);
  // What was never asked about is not believed.
  expect(signatures.verify(signer.publicKey, new Uint8Array(1), signature)).toBe(false);
});

test("without Web Crypto nothing is believed, and it is said", async () => {
  await expect(new Signatures().answer(undefined)).rejects.toThrow(NoWebCrypto);
});
