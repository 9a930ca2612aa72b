/**
 * A machine's screen, played: as much of RFB 3.8 as a client needs to show a picture. No password, one
 * raw rectangle, in another color for each key that goes down, so that a test sees its keys arrive.
 */
import type { WebSocket } from "ws";

const screenSize = { width: 320, height: 200 };

const greeting = "RFB 003.008\n";
/** 32 bits a pixel, 24 of them color, little endian: blue, green, red, nothing. */
const pixelFormat = Buffer.from([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]);
/** Red, green and blue of all of it: at first, after a key, after another one, and again. */
export const screenColors = [
  [24, 92, 55],
  [30, 64, 140],
  [150, 60, 20],
] as const;

interface Format {
  readonly bytes: number;
  readonly shifts: readonly number[];
}

/** Tells at which of a client's words the talk is; each takes its bytes and says what comes after it. */
export function showScreen(socket: WebSocket): void {
  let read = Buffer.alloc(0);
  let stage: "version" | "security" | "init" | "talk" = "version";
  let format: Format = { bytes: 4, shifts: [16, 8, 0] };
  let keys = 0;
  /** Of what was sent; another one is due. */
  let shown = -1;
  let isAsked = false;

  const paint = (): void => {
    if (!isAsked || shown === keys) return;
    isAsked = false;
    shown = keys;
    socket.send(picture(format, screenColors[keys % screenColors.length] ?? screenColors[0]));
  };

  /** How many bytes of `read` were understood; none if more must come first. */
  const take = (): number => {
    switch (stage) {
      case "version":
        if (read.length < greeting.length) return 0;
        stage = "security";
        socket.send(Buffer.from([1, 1]));
        return greeting.length;
      case "security":
        stage = "init";
        socket.send(Buffer.alloc(4));
        return 1;
      case "init":
        stage = "talk";
        socket.send(serverInit());
        return 1;
      case "talk": {
        const length = lengthOf(read);
        if (length === undefined) {
          socket.close(1002, "this screen does not know that word");
          return read.length;
        }
        if (length === 0 || read.length < length) return 0;
        if (read[0] === 0) {
          format = {
            bytes: read.readUInt8(4) / 8,
            shifts: [read.readUInt8(14), read.readUInt8(15), read.readUInt8(16)],
          };
        }
        // One that is not incremental wants all of the picture, changed or not.
        if (read[0] === 3) {
          isAsked = true;
          if (read[1] === 0) shown = -1;
        }
        if (read[0] === 4 && read[1] === 1) keys += 1;
        paint();
        return length;
      }
    }
  };

  socket.on("message", (data: Buffer) => {
    read = Buffer.concat([read, data]);
    while (read.length > 0) {
      const taken = take();
      if (taken === 0) return;
      read = read.subarray(taken);
    }
  });
  socket.send(Buffer.from(greeting));
}

/** Of a client's message; 0 if it cannot be told yet, nothing if the message is not known. */
function lengthOf(message: Buffer): number | undefined {
  const [kind = -1] = message;
  switch (kind) {
    case 0:
      return 20;
    case 2:
      return message.length < 4 ? 0 : 4 + 4 * message.readUInt16BE(2);
    case 3:
      return 10;
    case 4:
      return 8;
    case 5:
      return 6;
    case 6:
      return message.length < 8 ? 0 : 8 + Math.abs(message.readInt32BE(4));
    default:
      return undefined;
  }
}

function serverInit(): Buffer {
  const name = Buffer.from("test screen");
  const size = Buffer.alloc(4);
  size.writeUInt16BE(screenSize.width, 0);
  size.writeUInt16BE(screenSize.height, 2);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(name.length);
  return Buffer.concat([size, pixelFormat, length, name]);
}

function picture({ bytes, shifts }: Format, color: readonly number[]): Buffer {
  const { width, height } = screenSize;
  const head = Buffer.alloc(16);
  head.writeUInt16BE(1, 2);
  head.writeUInt16BE(width, 8);
  head.writeUInt16BE(height, 10);
  const pixels = Buffer.alloc(width * height * bytes);
  for (let at = 0; at < pixels.length; at += bytes) {
    for (const [part, shift] of shifts.entries()) {
      pixels[at + shift / 8] = color[part] ?? 0;
    }
  }
  return Buffer.concat([head, pixels]);
}
