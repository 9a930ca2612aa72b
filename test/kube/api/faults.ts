/** What may go wrong between a client and the server, on demand. */
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";

import { type Refusal, tooManyRequests, unauthorized } from "./refusal.ts";

interface Failure {
  left: number;
  readonly matches: (request: Asked) => boolean;
  readonly how: "refuse" | "cut" | "lose";
  readonly refusal: () => Refusal;
}

/** A request, as faults choose among them: `GET virtualmachines.kubevirt.io`. */
export interface Asked {
  readonly verb: string;
  readonly resource: string;
}

export type When = (request: Asked) => boolean;
const always: When = () => true;

export class Faults {
  /** Before each answer. */
  latencyMs = 0;
  /** Said beside every answer, as for a version that is deprecated. */
  warnings: readonly string[] = [];
  /** Told of each request before it is answered. */
  onRequest: ((request: Asked) => void) | undefined;
  readonly #failures: Failure[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #watches = new Set<ServerResponse>();
  readonly #expired = new Set<string>();
  #gone = false;
  #mute = false;

  /** The next so many requests are too many (429). */
  throttle(times: number, retryAfterSeconds: number, when: When = always): void {
    this.#fail(times, when, () => tooManyRequests(retryAfterSeconds));
  }

  /** The next so many are refused with this. */
  refuse(times: number, refusal: () => Refusal, when: When = always): void {
    this.#fail(times, when, refusal);
  }

  /** Of the next so many answers only a half is sent before the connection is cut. */
  cutAnswers(times: number, when: When = always): void {
    this.#failures.push({ left: times, matches: when, how: "cut", refusal: unauthorized });
  }

  /** The next so many are done, but nobody hears of it. */
  loseAnswers(times: number, when: When = always): void {
    this.#failures.push({ left: times, matches: when, how: "lose", refusal: unauthorized });
  }

  expireToken(token: string): void {
    this.#expired.add(token);
  }

  isExpired(token: string): boolean {
    return this.#expired.has(token);
  }

  /** The server is not to be reached: what is open is cut, and what comes is cut at once. */
  vanish(): void {
    this.#gone = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  comeBack(): void {
    this.#gone = false;
  }

  cutWatches(): void {
    for (const watch of this.#watches) watch.destroy();
  }

  get watchesOpen(): number {
    return this.#watches.size;
  }

  get connectionsOpen(): number {
    return this.#sockets.size;
  }

  /** Watches stay open and say nothing, as over a connection whose other end is gone. */
  muteWatches(how: "silent" | "talking"): void {
    this.#mute = how === "silent";
  }

  get watchesAreMute(): boolean {
    return this.#mute;
  }

  meet(socket: Socket): void {
    if (this.#gone) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    socket.on("error", () => socket.destroy());
  }

  noteWatch(response: ServerResponse): void {
    this.#watches.add(response);
    response.once("close", () => this.#watches.delete(response));
  }

  /** What is to happen to this request; the refusal is thrown. */
  strike(request: Asked): "answer" | "cut" | "lose" {
    this.onRequest?.(request);
    const failure = this.#failures.find(({ left, matches }) => left > 0 && matches(request));
    if (failure === undefined) return "answer";
    failure.left -= 1;
    if (failure.how === "refuse") throw failure.refusal();
    return failure.how;
  }

  #fail(times: number, matches: When, refusal: () => Refusal): void {
    this.#failures.push({ left: times, matches, how: "refuse", refusal });
  }
}
