/** One line on a terminal that says what is waited for and how long; silent everywhere else. */
import { duration, safe } from "./text.ts";

const redrawMs = 100;
const marks = ["⠋", "⠙", "⠸", "⠴", "⠦", "⠇"];

export interface Progress {
  say(text: string): void;
  /** Removes the line. */
  end(): void;
}

export function startProgress(stream: NodeJS.WriteStream, what: string): Progress {
  if (!stream.isTTY) return { say: () => undefined, end: () => undefined };
  const startedAt = performance.now();
  let said = what;
  let turn = 0;
  const draw = (): void => {
    turn += 1;
    const mark = marks[turn % marks.length] ?? "";
    const line = `${mark} ${safe(said).replaceAll("\n", " ")} ${duration(performance.now() - startedAt)}`;
    // Longer than the terminal is wide, it would leave lines behind.
    stream.write(
      `\r${Array.from(line)
        .slice(0, stream.columns - 1)
        .join("")}\u001B[K`,
    );
  };
  const timer = setInterval(draw, redrawMs);
  return {
    say: (text) => {
      said = text;
    },
    end: () => {
      clearInterval(timer);
      stream.write("\r\u001B[K");
    },
  };
}
