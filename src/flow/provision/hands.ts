/**
 * Hands that work on keys: each key by one hand at a time, so many keys at once. What must stay
 * true: a key asked for while it is worked on is worked on once more afterwards, so that nothing
 * said meanwhile is missed; asking a hundred times costs one look; a key whose work hangs or fails
 * holds up no other, and rests longer with each failure in a row.
 */
export interface HandsOptions<Hint> {
  readonly handsMax: number;
  /** Gives when to work on it again, in milliseconds from now; `undefined` for "when asked". */
  readonly work: (key: string, hint: Hint | undefined) => Promise<number | undefined>;
  /** Told of each failure; must not throw. */
  readonly failed: (key: string, error: unknown) => void;
}

export interface Hands<Hint> {
  /** The hint is for the next work on the key, if that begins soon enough. */
  ask(key: string, hint?: Hint): void;
  /** Whether no more than so many keys wait for a hand any more, which it waits for so long at most. */
  eased(keysMax: number, ms: number): Promise<boolean>;
  /** Waits for the hands that are at work; nothing begins any more. */
  close(): Promise<void>;
}

/** What is known only from before that is looked at anew. */
const hintAgeMaxMs = 2_000;
const restMinMs = 10;
const failureRestMs = 500;
const failureRestMaxMs = 30_000;

export function startHands<Hint>(options: HandsOptions<Hint>): Hands<Hint> {
  const waiting = new Map<string, { readonly hint: Hint | undefined; readonly since: number }>();
  const busy = new Map<string, Promise<void>>();
  const askedAgain = new Set<string>();
  const timers = new Map<string, NodeJS.Timeout>();
  const failuresInRow = new Map<string, number>();
  const easing = new Set<() => void>();
  let closed = false;

  const later = (key: string, ms: number): void => {
    if (closed) return;
    const timer = setTimeout(() => ask(key), Math.max(restMinMs, ms));
    timer.unref();
    timers.set(key, timer);
  };

  const workOn = async (key: string, hint: Hint | undefined): Promise<void> => {
    try {
      const againMs = await options.work(key, hint);
      failuresInRow.delete(key);
      if (againMs !== undefined) later(key, againMs);
    } catch (error) {
      if (closed) return;
      const failures = (failuresInRow.get(key) ?? 0) + 1;
      failuresInRow.set(key, failures);
      options.failed(key, error);
      later(key, Math.min(failureRestMaxMs, failureRestMs * 2 ** (failures - 1)));
    }
  };

  const begin = (): void => {
    for (const [key, { hint, since }] of waiting) {
      if (closed || busy.size >= options.handsMax) return;
      waiting.delete(key);
      clearTimeout(timers.get(key));
      timers.delete(key);
      const fresh = performance.now() - since < hintAgeMaxMs;
      const work = workOn(key, fresh ? hint : undefined).finally(() => {
        busy.delete(key);
        if (askedAgain.delete(key)) ask(key);
        begin();
        for (const look of easing) look();
      });
      busy.set(key, work);
    }
  };

  const eased = (keysMax: number, ms: number): Promise<boolean> =>
    new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        easing.delete(look);
        resolve(waiting.size <= keysMax);
      };
      const look = (): void => {
        if (closed || waiting.size <= keysMax) end();
      };
      const timer = setTimeout(end, Math.max(0, ms));
      easing.add(look);
      look();
    });

  const ask = (key: string, hint?: Hint): void => {
    if (closed) return;
    // What was seen while somebody is at work may be older than what he does: he looks anew.
    if (busy.has(key)) askedAgain.add(key);
    else {
      waiting.set(key, { hint, since: performance.now() });
      begin();
    }
  };

  return {
    ask,
    eased,
    close: async () => {
      closed = true;
      for (const timer of timers.values()) clearTimeout(timer);
      waiting.clear();
      for (const look of easing) look();
      await Promise.all(busy.values());
    },
  };
}
