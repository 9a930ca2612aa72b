/** The floor: bare QEMU with the same kernel and image, from spawn to the first SSH login. */
import { GuestClient } from "#providers/local/guest/client.ts";
import { startBareMachine } from "#providers/local/image/bare-machine.ts";
import { ensureImage } from "#providers/local/image/image.ts";
import { gibibyte } from "#kernel/shape.ts";
import { login, type Identity } from "#tour/ssh.ts";

export async function measureFloor(identity: Identity, imageCache: string): Promise<number> {
  const { signal } = new AbortController();
  const image = await ensureImage({
    name: "tiny",
    cacheDirectory: imageCache,
    report: say,
    signal,
  });
  const machine = await startBareMachine({ image, diskBytes: gibibyte, signal });
  const client = new GuestClient({ connect: machine.connectAgent, listen: true });
  try {
    await client.personalize(
      { signal: AbortSignal.timeout(120_000) },
      {
        instanceId: "floor",
        machineId: "f".repeat(32),
        hostname: "floor",
        loginUser: "root",
        authorizedKeys: [identity.publicKey],
        network: [{ address: "10.0.2.15/24", gateway: "10.0.2.2", dns: [] }],
        diskBytes: gibibyte,
      },
    );
    await login(identity, { host: "127.0.0.1", port: machine.sshPort, user: "root" }, "true");
    return (performance.now() - machine.spawnedAt) / 1000;
  } finally {
    client.close();
    await machine.stop();
  }
}

function say(step: string, detail: string): void {
  process.stdout.write(`${step}: ${detail}\n`);
}
