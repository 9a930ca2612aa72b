/** Checks a bundle beside the page, so that the page stays quick whatever the bundle's size. */
import { NoWebCrypto } from "./browser-crypto.ts";
import { checkBundle } from "./check.ts";
import type { Answered, Asked } from "./messages.ts";

globalThis.addEventListener("message", ({ data }: MessageEvent<Asked>) => {
  void answerTo(data).then((answer) => globalThis.postMessage(answer, { transfer: [] }));
});

async function answerTo({ bytes, trust }: Asked): Promise<Answered> {
  try {
    const checked = await checkBundle(bytes, trust, globalThis.crypto.subtle);
    return { kind: "checked", checked };
  } catch (error) {
    if (error instanceof NoWebCrypto) return { kind: "no_web_crypto" };
    return { kind: "failed", message: error instanceof Error ? error.message : String(error) };
  }
}
