/** From our values to how they are written on the wire. */

/** RFC 3339 in UTC. */
export function time(at: number): string {
  return new Date(at).toISOString();
}

export function timeOrNull(at: number | null): string | null {
  return at === null ? null : time(at);
}
