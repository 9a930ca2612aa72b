/**
 * What a rehearsal comes to, in the numbers by which policies and fleets are compared. Pure. Waits are
 * those of work that started; what still waits at the end is counted apart, with how long it has waited,
 * so that a policy cannot look quick by starting little.
 */
import { fen, type Fen } from "#kernel/money.ts";
import { milliCpusOf, type Shape } from "#kernel/shape.ts";

import { endOf, type Piece, type Rehearsed, type Running } from "./simulate.ts";

export interface Span {
  readonly from: number;
  readonly until: number;
}

export interface Figures {
  readonly asked: number;
  readonly started: number;
  readonly stillWaiting: number;
  /** Of what started, and of what waits at the end, up to the end. Milliseconds. */
  readonly meanWaitMs: number;
  readonly p95WaitMs: number;
  readonly longestWaitMs: number;
  /** Work of eight GPUs and more. */
  readonly wideMeanWaitMs: number | null;
  /** Share of the whole GPUs of the fleet over the span, 0 to 1; null without GPUs. */
  readonly gpuUtilization: number | null;
  readonly cpuUtilization: number;
  /** At the hourly prices of the admissions, for the time within the span. */
  readonly revenue: Fen;
}

export interface FleetSize {
  readonly milliCpus: number;
  readonly gpus: number;
}

const wideGpus = 8;
const hourMs = 3_600_000n;

export function figuresOf(rehearsed: Rehearsed, span: Span, fleet: FleetSize): Figures {
  const { from, until } = span;
  // What stood there before has no wait that this policy answers for.
  const came = rehearsed.ran.filter(({ piece }) => piece.askedAt >= from);
  const waited = came.map(waitOf);
  const waiting = rehearsed.waiting.map((piece) => until - Math.max(from, piece.askedAt));
  const waits = [...waited, ...waiting].toSorted((a, b) => a - b);
  const wide = came.filter(({ piece }) => gpusOf(piece.shape) >= wideGpus).map(waitOf);
  const length = until - from;
  const used = (amount: (piece: Piece) => number): number =>
    rehearsed.ran.reduce((sum, running) => sum + amount(running.piece) * within(running, span), 0);
  return {
    asked: came.length + rehearsed.waiting.length,
    started: came.length,
    stillWaiting: rehearsed.waiting.length,
    meanWaitMs: mean(waits),
    p95WaitMs: waits[Math.floor(waits.length * 0.95)] ?? 0,
    longestWaitMs: waits.at(-1) ?? 0,
    wideMeanWaitMs: wide.length === 0 ? null : mean(wide),
    gpuUtilization:
      fleet.gpus === 0 ? null : used(({ shape }) => gpusOf(shape)) / (fleet.gpus * length),
    cpuUtilization:
      fleet.milliCpus === 0
        ? 0
        : used(({ shape }) => milliCpusOf(shape)) / (fleet.milliCpus * length),
    revenue: fen(
      rehearsed.ran.reduce(
        (sum, running) =>
          sum + ((running.piece.fenPerHour ?? 0n) * BigInt(within(running, span))) / hourMs,
        0n,
      ),
    ),
  };
}

/** Whole GPUs, a slice 1/n as its n-th. */
export function gpusOf({ gpu }: Shape): number {
  return gpu === null ? 0 : gpu.count / gpu.slice;
}

function waitOf({ piece, startedAt }: Running): number {
  return startedAt - piece.askedAt;
}

function within(running: Running, { from, until }: Span): number {
  return Math.max(
    0,
    Math.round(Math.min(until, endOf(running)) - Math.max(from, running.startedAt)),
  );
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
