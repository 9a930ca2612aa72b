/**
 * Connecting to a unix socket inside an instance's directory. A socket address holds 107 bytes and
 * a data directory may be deeper than that, so the address goes through an open descriptor of the
 * directory: `/proc/self/fd/N/run.1/qmp.sock`. QEMU, for its part, binds relative to its working
 * directory, so neither side ever sees a long path.
 */
import { chmod, open } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";

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

/**
 * Listens inside the directory, lets QEMU connect once while `work` runs, and returns all that it
 * wrote until it closed.
 */
export async function receiveInside(
  directory: string,
  socketName: string,
  work: () => Promise<void>,
): Promise<Buffer> {
  const handle = await open(directory, "r");
  const server = createServer();
  try {
    const path = `/proc/self/fd/${handle.fd}/${socketName}`;
    const received = new Promise<Buffer>((resolve, reject) => {
      server.once("error", reject);
      server.once("connection", (socket: Socket) => {
        const pieces: Buffer[] = [];
        socket.on("error", reject);
        socket.on("data", (piece: Buffer) => pieces.push(piece));
        socket.on("end", () => resolve(Buffer.concat(pieces)));
      });
    });
    received.catch(() => {});
    await new Promise<void>((resolve) => server.listen({ path }, resolve));
    // QEMU runs as another user.
    await chmod(path, 0o666);
    await work();
    return await received;
  } finally {
    server.close();
    await handle.close();
  }
}
