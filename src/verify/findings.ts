/** What a check found: failures with their place, and what it could not prove. */
import {
  failureWords,
  noteWords,
  say,
  type FailureCode,
  type NoteCode,
  type Said,
  type Values,
} from "./words.ts";

export interface Failed {
  readonly code: FailureCode;
  /** "event 0197…/2 (leaf 17, line 40 of the file)", "line 2026-05-04 gpu.A100", … */
  readonly place: string;
  readonly message: Said;
}

export interface Unproved {
  readonly code: NoteCode;
  readonly message: Said;
}

/** After so many, the rest is counted only. */
const failuresKeptMax = 200;

export class Findings {
  readonly failures: Failed[] = [];
  readonly notes: Unproved[] = [];
  count = 0;

  fail(code: FailureCode, place: string, values: Values = {}): void {
    this.count += 1;
    if (this.failures.length >= failuresKeptMax) return;
    this.failures.push({ code, place, message: say(failureWords[code], values) });
  }

  note(code: NoteCode, values: Values = {}): void {
    this.notes.push({ code, message: say(noteWords[code], values) });
  }
}
