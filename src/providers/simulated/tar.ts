/** A ustar archive of small files held in memory: all that simulated results need. */
const blockBytes = 512;

export interface TarFile {
  /** ASCII, at most 100 characters. */
  readonly name: string;
  readonly content: string;
  /** Epoch milliseconds. */
  readonly modifiedAt: number;
}

export function tar(files: readonly TarFile[]): Buffer {
  const parts = files.flatMap((file) => {
    const content = Buffer.from(file.content);
    const padding = Buffer.alloc((blockBytes - (content.byteLength % blockBytes)) % blockBytes);
    return [header(file, content.byteLength), content, padding];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * blockBytes)]);
}

function header(file: TarFile, size: number): Buffer {
  const block = Buffer.alloc(blockBytes);
  block.write(file.name, 0, 100, "ascii");
  block.write(octal(0o644, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(size, 11), 124);
  block.write(octal(Math.floor(file.modifiedAt / 1000), 11), 136);
  // The checksum counts its own field as spaces.
  block.write("        ", 148);
  block.write("0", 156);
  block.write("ustar\u000000", 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 6)}\0 `, 148);
  return block;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, "0");
}
