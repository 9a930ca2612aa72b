/** Keys, notes, checkpoints and cosignatures: what is right opens, and anything else does not. */
import fc from "fast-check";
import { expect, test } from "vitest";

import { present } from "#kernel/assert.ts";

import {
  checkpointText,
  openCheckpoint,
  parseCheckpointText,
  signCheckpoint,
} from "./checkpoint.ts";
import {
  formatKey,
  formatPrivateKey,
  noteKey,
  parseKey,
  parsePrivateKey,
  type Signer,
} from "./keys.ts";
import { nodeSha256, nodeSigningKey, nodeVerify } from "./node-crypto.ts";
import { cosignatureLine, decodeText, openNote, parseNote, signNote } from "./note.ts";

function signerOf(name: string, kind: "log" | "cosigner", seedByte: number): Signer {
  const { publicKey, sign } = nodeSigningKey(new Uint8Array(32).fill(seedByte));
  return { key: noteKey(nodeSha256, { name, kind, publicKey }), sign };
}

const log = signerOf("example.com/log", "log", 1);
const witness = signerOf("witness.example/w1", "cosigner", 2);
const root = new Uint8Array(32).fill(7);
const signed = signCheckpoint({ origin: "example.com/log", size: 12, root }, log);
const opening = { verify: nodeVerify, logKey: log.key, cosigners: [witness.key] };

test("the specification's own cosigned checkpoint is read to the letter", () => {
  const parsed = present(
    parseNote(
      [
        "example.com/behind-the-sofa",
        "20852163",
        "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=",
        "",
        "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=",
        "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==",
        "",
      ].join("\n"),
    ),
    "the note",
  );
  expect(parseCheckpointText(parsed.text)).toMatchObject({
    origin: "example.com/behind-the-sofa",
    size: 20_852_163,
  });
  const [, second] = parsed.signatures;
  expect(second?.name).toBe("witness.example.com/w1");
  // 1679315147, the time of the specification's example.
  expect(Buffer.from(present(second, "a cosignature").signature).readBigUInt64BE()).toBe(
    1_679_315_147n,
  );
});

test("a checkpoint opens for the log's key, and says who cosigned it when", () => {
  expect(openCheckpoint(signed, opening)).toMatchObject({
    kind: "signed",
    checkpoint: { origin: "example.com/log", size: 12, root },
    by: [{ key: { name: "example.com/log" }, at: undefined }],
  });
  const note = present(parseNote(signed), "the note");
  const cosigned = signed + cosignatureLine(note, witness, 1_700_000_000n);
  expect(openCheckpoint(cosigned, opening)).toMatchObject({
    by: [{ key: { name: "example.com/log" } }, { key: witness.key, at: 1_700_000_000n }],
  });
  const unknown = signerOf("witness.example/w2", "cosigner", 3);
  expect(openCheckpoint(signed + cosignatureLine(note, unknown, 1n), opening)).toMatchObject({
    by: [{ key: { name: "example.com/log" } }],
  });
  // A cosignature is over the text and its own time; of another text it is forged.
  const other = signCheckpoint({ origin: "example.com/log", size: 13, root }, log);
  const moved = other + cosignatureLine(note, witness, 1_700_000_000n);
  expect(openCheckpoint(moved, opening)).toEqual({ kind: "forged", key: witness.key });
});

test("another key of the same name, another log and a missing signature are told apart", () => {
  const impostor = signerOf("example.com/log", "log", 9);
  const byImpostor = signCheckpoint({ origin: "example.com/log", size: 12, root }, impostor);
  expect(openCheckpoint(byImpostor, opening)).toEqual({ kind: "not_signed_by_log" });
  const elsewhere = signCheckpoint({ origin: "example.com/other", size: 12, root }, log);
  expect(openCheckpoint(elsewhere, opening)).toEqual({ kind: "other_log" });
  const note = present(parseNote(signed), "the note");
  const onlyWitness = `${note.text}\n${cosignatureLine(note, witness, 5n)}`;
  expect(openCheckpoint(onlyWitness, opening)).toEqual({ kind: "not_signed_by_log" });
  const grown = signed.replace("\n12\n", "\n13\n");
  expect(openCheckpoint(grown, opening)).toEqual({ kind: "forged", key: log.key });
});

test("a flipped bit anywhere in a checkpoint is never opened as something else", () => {
  const bytes = Buffer.from(signed);
  fc.assert(
    fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const text = decodeText(flipped);
      const opened = text === undefined ? undefined : openCheckpoint(text, opening);
      expect(opened?.kind).not.toBe("signed");
    }),
    { numRuns: 1000 },
  );
});

test.each([
  ["no signature", "text\n"],
  ["no newline at the end", signed.slice(0, -1)],
  ["a control character", signed.replace("12", "1\t2")],
  ["a carriage return", signed.replaceAll("\n", "\r\n")],
  ["a line that is no signature", `${signed}hello\n`],
  ["a hyphen for the dash", signed.replace("—", "-")],
  ["a space more", signed.replace("— ", "—  ")],
  ["a name with a plus", signed.replace("— example.com", "— example+com")],
  ["no padding", signed.replace(/=*\n$/, "\n")],
  ["a lone surrogate", `\ud800${signed}`],
  ["too many signatures", signed + "— a AAAAAAA=\n".repeat(100)],
])("a note with %s is refused", (_, note) => {
  expect(parseNote(note)).toBeUndefined();
});

test.each([
  ["a size with a leading zero", "o\n012\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n"],
  ["a negative size", "o\n-1\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n"],
  [
    "a size beyond what can be counted",
    "o\n9007199254740993\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n",
  ],
  ["no origin", "\n12\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n"],
  ["a root that is too short", "o\n12\nBwcHBw==\n"],
  ["bits that encode nothing", "o\n12\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwd=\n"],
  ["an empty line at the end", "o\n12\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n\n"],
])("a checkpoint with %s is refused", (_, text) => {
  expect(parseCheckpointText(text)).toBeUndefined();
});

test("lines that extend a checkpoint are kept", () => {
  const text = checkpointText({ origin: "o", size: 1, root, extensions: ["day 2026-05-04"] });
  expect(parseCheckpointText(text)?.extensions).toEqual(["day 2026-05-04"]);
});

test("keys are written and read back; one whose id is not its own is refused", () => {
  const text = formatKey(log.key);
  expect(parseKey(nodeSha256, text)).toEqual(log.key);
  expect(parseKey(nodeSha256, formatKey(witness.key))).toEqual(witness.key);
  expect(parseKey(nodeSha256, text.replace(/\+[0-9a-f]{8}\+/, "+00000000+"))).toBeUndefined();
  expect(parseKey(nodeSha256, text.replace("example.com/log", "example.com/lag"))).toBeUndefined();
  expect(parseKey(nodeSha256, `${text}\n`)).toBeUndefined();
  const seed = new Uint8Array(32).fill(1);
  expect(parsePrivateKey(formatPrivateKey(log.key, seed))).toEqual({
    name: "example.com/log",
    kind: "log",
    seed,
  });
});

test("the text of a note may have empty lines; the last one divides", () => {
  const note = present(parseNote(signNote("one\n\ntwo\n", log)), "the note");
  expect(note.text).toBe("one\n\ntwo\n");
  expect(openNote(nodeVerify, note, [log.key]).kind).toBe("signed");
  expect(openNote(nodeVerify, note, [witness.key]).kind).toBe("unsigned");
});
