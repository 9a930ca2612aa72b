/** Our archives, by their bytes and read back by an independent reader. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, readlink, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

import { writeCpio, type CpioEntry } from "./cpio.ts";

const entries: readonly CpioEntry[] = [
  { kind: "directory", path: "bin" },
  { kind: "file", path: "bin/tool", data: Buffer.from("#!/bin/sh\n"), executable: true },
  { kind: "file", path: "odd", data: Buffer.from([0, 1, 2, 3, 4]), executable: false },
  { kind: "link", path: "bin/alias", target: "tool" },
];

test("the same entries give the same bytes, in whole sectors, with the end marked", () => {
  const archive = writeCpio(entries);
  expect(archive).toEqual(writeCpio(entries));
  expect(archive.length % 512).toBe(0);
  expect(archive.toString("latin1", 0, 6)).toBe("070701");
  expect(archive.includes("TRAILER!!!")).toBe(true);
});

test("an independent reader unpacks it: files, modes and links", async () => {
  const directory = await mkdtemp(join(tmpdir(), "millrace-test-"));
  try {
    await writeFile(join(directory, "archive"), writeCpio(entries));
    // Written after the format, not after our writer; cpio itself is not on every Debian.
    await promisify(execFile)("perl", ["-e", unpacker, "archive"], { cwd: directory });
    expect(await readFile(join(directory, "bin/tool"), "utf8")).toBe("#!/bin/sh\n");
    expect((await stat(join(directory, "bin/tool"))).mode & 0o777).toBe(0o755);
    expect(await readFile(join(directory, "odd"))).toEqual(Buffer.from([0, 1, 2, 3, 4]));
    expect(await readlink(join(directory, "bin/alias"))).toBe("tool");
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

const unpacker = String.raw`
  open my $f, '<:raw', $ARGV[0] or die; local $/; my $all = <$f>; my $at = 0;
  while (1) {
    my @h = map { hex } unpack 'x6 (A8)13', substr $all, $at, 110;
    my ($mode, $size, $namesize) = @h[1, 6, 11];
    my $name = substr $all, $at + 110, $namesize - 1;
    last if $name eq 'TRAILER!!!';
    my $start = $at + 110 + $namesize; $start += -$start % 4;
    my $data = substr $all, $start, $size;
    $at = $start + $size; $at += -$at % 4;
    my $type = $mode & 0170000;
    if ($type == 0040000) { mkdir $name }
    elsif ($type == 0120000) { symlink $data, $name }
    else { open my $o, '>:raw', $name or die; print $o $data; close $o; chmod $mode & 07777, $name }
  }
`;
