/** Beside each text file of the build the same as `.br` and `.gz`, which the server hands out. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";

const packed = /\.(?:html|js|css|svg|json|txt)$/;
/** Under it an unpacked answer is as good. */
const bytesMin = 1024;

export function packPlugin(): Plugin {
  let directory = "";
  return {
    name: "millrace-pack",
    apply: "build",
    configResolved(config) {
      directory = config.build.outDir;
    },
    async writeBundle() {
      const entries = await readdir(directory, { recursive: true, withFileTypes: true });
      const files = entries
        .filter((entry) => entry.isFile() && packed.test(entry.name))
        .map((entry) => join(entry.parentPath, entry.name));
      await Promise.all(
        files.map(async (file) => {
          const content = await readFile(file);
          if (content.length < bytesMin) return;
          const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } };
          await writeFile(`${file}.br`, brotliCompressSync(content, quality));
          await writeFile(`${file}.gz`, gzipSync(content, { level: 9 }));
        }),
      );
    },
  };
}
