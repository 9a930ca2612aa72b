/**
 * Archives in cpio's "newc" form, as the kernel unpacks them for its first file system. The same
 * entries always give the same bytes: no times, no owners but root, numbers in order.
 */
export type CpioEntry =
  | { readonly kind: "directory"; readonly path: string }
  | { readonly kind: "link"; readonly path: string; readonly target: string }
  | {
      readonly kind: "device";
      readonly path: string;
      readonly major: number;
      readonly minor: number;
    }
  | {
      readonly kind: "file";
      readonly path: string;
      readonly data: Buffer;
      readonly executable: boolean;
    };

const modes = { directory: 0o040755, link: 0o120777, device: 0o020600, file: 0o100644 } as const;

/** Directories must come before what is in them; paths have no leading slash. */
export function writeCpio(entries: readonly CpioEntry[]): Buffer {
  const parts: Buffer[] = [];
  for (const [index, entry] of entries.entries()) parts.push(record(entry, index + 1));
  parts.push(
    record({ kind: "file", path: "TRAILER!!!", data: Buffer.alloc(0), executable: false }, 0),
  );
  return padded(Buffer.concat(parts), 512);
}

function record(entry: CpioEntry, inode: number): Buffer {
  const name = Buffer.from(`${entry.path}\0`);
  const data = contents(entry);
  const executable = entry.kind === "file" && entry.executable;
  const fields = [
    inode,
    modes[entry.kind] | (executable ? 0o111 : 0),
    0,
    0,
    entry.kind === "directory" ? 2 : 1,
    0,
    data.length,
    0,
    0,
    entry.kind === "device" ? entry.major : 0,
    entry.kind === "device" ? entry.minor : 0,
    name.length,
    0,
  ];
  const head = `070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}`;
  return Buffer.concat([padded(Buffer.concat([Buffer.from(head), name]), 4), padded(data, 4)]);
}

function contents(entry: CpioEntry): Buffer {
  if (entry.kind === "file") return entry.data;
  return entry.kind === "link" ? Buffer.from(entry.target) : Buffer.alloc(0);
}

function padded(bytes: Buffer, unit: number): Buffer {
  const missing = (unit - (bytes.length % unit)) % unit;
  return missing === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(missing)]);
}
