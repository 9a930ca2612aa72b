/** Text to take along: a button that says when it did, and a line of code with it. */
import { useState, type ReactNode } from "react";

import { useText } from "#console/i18n/index.ts";
import { IconButton } from "#console/ui/button.tsx";

const saysCopiedMs = 2000;

export function CopyButton({
  text,
  label,
}: {
  readonly text: string;
  readonly label?: string;
}): ReactNode {
  const { t } = useText();
  const [isCopied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await copyText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), saysCopiedMs);
  };
  return (
    <IconButton
      size="sm"
      icon={isCopied ? "check" : "copy"}
      label={isCopied ? t("common.copied") : (label ?? t("common.copy"))}
      onClick={(event) => {
        event.stopPropagation();
        event.preventDefault();
        void copy();
      }}
    />
  );
}

/** One line of code with its button, e.g. how to log in. */
export function CopyLine({
  text,
  label,
}: {
  readonly text: string;
  readonly label?: string;
}): ReactNode {
  return (
    <span className="copy-line">
      <code className="clip" title={text}>
        {text}
      </code>
      <CopyButton text={text} {...(label === undefined ? {} : { label })} />
    </span>
  );
}

/** Several lines of code. */
export function CodeBlock({
  text,
  wraps = false,
  label,
}: {
  readonly text: string;
  readonly wraps?: boolean;
  readonly label?: string;
}): ReactNode {
  return (
    <div className="code-frame">
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, also by keyboard */}
      <pre className={wraps ? "code-block wraps" : "code-block"} tabIndex={0} aria-label={label}>
        {text}
      </pre>
      <span className="code-copy">
        <CopyButton text={text} />
      </span>
    </div>
  );
}

/** The clipboard is for https pages only; over plain http an older way still works. */
async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.style.position = "fixed";
    area.style.opacity = "0";
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}
