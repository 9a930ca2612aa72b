/**
 * The hashes of an RFC 6962 tree: SHA-256 over 0x00 and a leaf, over 0x01 and two nodes. SHA-256
 * itself is handed in (`node-crypto.ts` on a server, a library in a browser), so that nothing here
 * depends on where it runs.
 *
 * Hashes are written into places that the caller owns: an object for each costs more than hashing.
 */
export const hashLength = 32;

/** Writes the 32 bytes of SHA-256(data) into `target` from `at` on. */
export type Sha256 = (data: Uint8Array, target: Uint8Array, at: number) => void;

const leafPrefix = 0x00;
const nodePrefix = 0x01;
/** UTF-8 takes at most three bytes for a UTF-16 code unit. */
const bytesPerUnit = 3;
const leafBytesFirst = 4096;

/** Not to be shared between threads: it has room of its own to work in. */
export class TreeHasher {
  readonly #sha256: Sha256;
  readonly #node = new Uint8Array(1 + 2 * hashLength).fill(nodePrefix);
  readonly #encoder = new TextEncoder();
  #leaf = new Uint8Array(1 + leafBytesFirst).fill(leafPrefix);

  constructor(sha256: Sha256) {
    this.#sha256 = sha256;
  }

  leaf(data: Uint8Array): Uint8Array {
    const hash = new Uint8Array(hashLength);
    this.leafInto(data, hash, 0);
    return hash;
  }

  /** The leaf that is the text's UTF-8. */
  leafOfText(text: string): Uint8Array {
    this.#reserve(text.length * bytesPerUnit);
    const { written } = this.#encoder.encodeInto(text, this.#leaf.subarray(1));
    const hash = new Uint8Array(hashLength);
    this.#sha256(this.#leaf.subarray(0, 1 + written), hash, 0);
    return hash;
  }

  leafInto(data: Uint8Array, target: Uint8Array, at: number): void {
    this.#reserve(data.length);
    this.#leaf.set(data, 1);
    this.#sha256(this.#leaf.subarray(0, 1 + data.length), target, at);
  }

  node(left: Uint8Array, right: Uint8Array): Uint8Array {
    const hash = new Uint8Array(hashLength);
    this.#node.set(left, 1);
    this.#node.set(right, 1 + hashLength);
    this.#sha256(this.#node, hash, 0);
    return hash;
  }

  /** The node over two hashes that lie side by side in `source` from `from` on. */
  nodeInto(source: Uint8Array, from: number, target: Uint8Array, at: number): void {
    const node = this.#node;
    for (let index = 0; index < 2 * hashLength; index += 1) {
      node[1 + index] = source[from + index] ?? 0;
    }
    this.#sha256(node, target, at);
  }

  /** Of the tree without leaves: SHA-256 of nothing. */
  empty(): Uint8Array {
    const hash = new Uint8Array(hashLength);
    this.#sha256(new Uint8Array(0), hash, 0);
    return hash;
  }

  #reserve(bytes: number): void {
    if (this.#leaf.length > bytes) return;
    this.#leaf = new Uint8Array(1 + 2 * bytes).fill(leafPrefix);
  }
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
