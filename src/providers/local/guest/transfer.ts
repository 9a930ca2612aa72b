/** Whole files over the agent's channel, in chunks; each end can be begun again where it broke. */
import { open } from "node:fs/promises";

import type { GuestCall } from "./channel.ts";
import type { GuestClient } from "./client.ts";

const chunkBytes = 256 * 1024;

/** Sends a workload's inputs; returns their size, which `workload.start` asks for. */
export async function sendInputs(
  client: GuestClient,
  call: GuestCall,
  inputs: { readonly workloadId: string; readonly path: string },
): Promise<number> {
  const file = await open(inputs.path, "r");
  try {
    let offset = 0;
    for (;;) {
      const buffer = Buffer.allocUnsafe(chunkBytes);
      const { bytesRead } = await file.read(buffer, 0, chunkBytes, offset);
      if (bytesRead === 0) return offset;
      const bytes = buffer.subarray(0, bytesRead);
      await client.workloadInput(call, { workloadId: inputs.workloadId, offset, bytes });
      offset += bytesRead;
    }
  } finally {
    await file.close();
  }
}

/** The results from an offset to their end. */
export async function* receiveResults(
  client: GuestClient,
  call: GuestCall,
  from: number,
): AsyncGenerator<Buffer> {
  let offset = from;
  for (;;) {
    const { bytes } = await client.workloadResults(call, { offset, bytesMax: chunkBytes });
    if (bytes.length === 0) return;
    offset += bytes.length;
    yield bytes;
  }
}
