/** A text of a person on one line of a table; whole on pointing at it. It keeps its direction to itself. */
import type { ReactNode } from "react";

const titleCharactersMax = 1000;

export function Clipped({ text }: { readonly text: string }): ReactNode {
  return (
    <bdi
      className="clip"
      style={{ display: "inline-block", maxWidth: "min(22rem, 45vw)", verticalAlign: "bottom" }}
      title={text.slice(0, titleCharactersMax)}
    >
      {text}
    </bdi>
  );
}
