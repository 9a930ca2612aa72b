/** How the tour speaks: numbered steps with their time, facts under them. */
export interface Stage {
  step<T>(title: string, work: () => Promise<T>): Promise<T>;
  /** Under the current step. */
  fact(text: string): void;
  say(text: string): void;
}

export function createStage(out: { write(text: string): unknown }): Stage {
  let number = 0;
  let facts: string[] = [];
  return {
    step: async (title, work) => {
      number += 1;
      facts = [];
      const startedAt = performance.now();
      const result = await work();
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(2).padStart(6);
      out.write(`${String(number).padStart(2)}. ${title.padEnd(58)} ${seconds} s\n`);
      for (const fact of facts) out.write(`      ${fact}\n`);
      return result;
    },
    fact: (text) => {
      facts.push(...text.trimEnd().split("\n"));
    },
    say: (text) => {
      out.write(`${text}\n`);
    },
  };
}
