/** The check itself, as it runs in the worker: the same code as `millrace verify`, other crypto. */
import { Findings } from "#verify/findings.ts";
import { checkLog, type Trust } from "#verify/log.ts";
import { readBundle } from "#verify/read.ts";
import { verifyBundle, type Verdict } from "#verify/verify.ts";

import { browserHasher, browserSha256, Signatures } from "./browser-crypto.ts";

export interface Checked {
  readonly verdict: Verdict;
  /** Of checkpoints that are right. */
  readonly signatures: number;
  /** Records of the file that are not events. */
  readonly consistencyProofs: number;
}

export async function checkBundle(
  bytes: Uint8Array,
  trust: Trust,
  subtle: SubtleCrypto | undefined,
): Promise<Checked> {
  const signatures = new Signatures();
  const common = { sha256: browserSha256, hasher: browserHasher() };
  const bundle = readBundle(bytes, browserSha256, new Findings());
  let right = 0;
  if (bundle !== undefined) {
    const crypto = { ...common, verify: signatures.gather };
    checkLog(bundle, { crypto, trust }, new Findings());
    right = await signatures.answer(subtle);
  }
  const crypto = { ...common, verify: signatures.verify };
  return {
    verdict: verifyBundle(bytes, { crypto, trust }),
    signatures: right,
    consistencyProofs: bundle?.all("consistency").length ?? 0,
  };
}
