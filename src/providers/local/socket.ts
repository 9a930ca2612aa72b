/**
 * Connecting to a unix socket inside an instance's directory. A socket address holds 107 bytes and
 * a data directory may be deeper than that, so the address goes through an open descriptor of the
 * directory: `/proc/self/fd/N/run.1/qmp.sock`. QEMU, for its part, binds relative to its working
 * directory, so neither side ever sees a long path.
 */
import { open } from "node:fs/promises";
import { connect, type Socket } from "node:net";

export async function connectInside(directory: string, socketName: string): Promise<Socket> {
  const handle = await open(directory, "r");
  try {
    return await connected(connect({ path: `/proc/self/fd/${handle.fd}/${socketName}` }));
  } finally {
    await handle.close();
  }
}

function connected(socket: Socket): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    socket.once("error", failed);
    socket.once("connect", () => {
      socket.off("error", failed);
      resolve(socket);
    });
  });
}
