/**
 * A log that is still written: follows its end unless one scrolls up, goes on after a lost
 * connection, and keeps only the lines near the view in the document. What is in it is text.
 */
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, useState, type ReactNode } from "react";
import type { LooseRequest, OperationIdOver } from "#client/types.ts";

import { follow, type FollowState } from "#console/api/follow.ts";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Row, Stack } from "#console/ui/layout.tsx";
import { Muted } from "#console/ui/text.tsx";

import { emptyLog, withText, type LogLines } from "./log-lines.ts";
import { ProblemBox } from "./problem-box.tsx";

const linePx = 19;
/** Of the end, within which one counts as being at it. */
const nearPx = 40;

export function LiveLog({
  operation,
  request,
  height = 420,
}: {
  readonly operation: OperationIdOver<"events">;
  readonly request: LooseRequest;
  readonly height?: number;
}): ReactNode {
  const { t } = useText();
  const { log, state, error } = useLog(operation, request);
  const [isFollowing, setFollowing] = useState(true);
  const view = useRef<HTMLDivElement>(null);
  const count = log.lines.length;
  const virtual = useVirtualizer({
    count,
    getScrollElement: () => view.current,
    estimateSize: () => linePx,
    overscan: 30,
  });
  useEffect(() => {
    if (isFollowing && count > 0) virtual.scrollToIndex(count - 1, { align: "end" });
  }, [isFollowing, count, log, virtual]);
  const onScroll = (): void => {
    const element = view.current;
    if (element === null) return;
    const fromEnd = element.scrollHeight - element.scrollTop - element.clientHeight;
    // Text that arrives moves the end away; only a person moves up.
    if (fromEnd < nearPx) setFollowing(true);
  };
  return (
    <Stack gap="xs">
      {error === undefined ? null : <ProblemBox error={error} />}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, also by keyboard */}
      <div
        className="log"
        ref={view}
        style={{ height }}
        role="log"
        aria-label={t("common.log.label")}
        aria-live="off"
        aria-busy={state === "connecting"}
        tabIndex={0}
        onScroll={onScroll}
        onWheel={(event) => event.deltaY < 0 && setFollowing(false)}
        onKeyDown={(event) => /^(?:ArrowUp|PageUp|Home)$/.test(event.key) && setFollowing(false)}
        onTouchMove={() => setFollowing(false)}
      >
        <div style={{ height: virtual.getTotalSize(), position: "relative" }}>
          {virtual.getVirtualItems().map((row) => (
            <div
              key={row.key}
              ref={virtual.measureElement}
              data-index={row.index}
              className="log-line"
              style={{
                position: "absolute",
                insetInline: 0,
                transform: `translateY(${row.start}px)`,
              }}
            >
              {log.lines[row.index] === "" ? "\u00A0" : log.lines[row.index]}
            </div>
          ))}
        </div>
        {count === 0 ? (
          <div className="log-line">
            {t(state === "ended" ? "common.log.empty" : "common.log.waiting")}
          </div>
        ) : null}
      </div>
      <Row justify="space-between">
        <Muted size="xs">
          <span role="status">{stateText(state, t)}</span> ·{" "}
          {t("common.log.lines", { count: count + log.dropped })}
        </Muted>
        <Button size="xs" kind="quiet" icon="down" onClick={() => setFollowing(true)}>
          {isFollowing ? t("common.log.following") : t("common.log.follow")}
        </Button>
      </Row>
    </Stack>
  );
}

function stateText(state: FollowState, t: ReturnType<typeof useText>["t"]): string {
  switch (state) {
    case "connecting":
      return t("common.terminal.connecting");
    case "live":
      return t("common.log.live");
    case "lost":
      return t("common.log.lost");
    case "ended":
      return t("common.log.ended");
  }
}

/** How often what arrived is drawn. */
const drawMs = 100;

function useLog(
  operation: OperationIdOver<"events">,
  request: LooseRequest,
): { readonly log: LogLines; readonly state: FollowState; readonly error: unknown } {
  const [log, setLog] = useState(emptyLog);
  const [state, setState] = useState<FollowState>("connecting");
  const [error, setError] = useState<unknown>();
  const asked = JSON.stringify(request);
  useEffect(() => {
    const stop = new AbortController();
    let current = emptyLog;
    let timer: ReturnType<typeof setTimeout> | undefined;
    setLog(emptyLog);
    setError(undefined);
    const parsed: LooseRequest = JSON.parse(asked);
    void follow(operation, parsed, {
      signal: stop.signal,
      onState: (next) => {
        // At the end nothing more comes that could be drawn together with it.
        if (next === "ended") setLog(current);
        setState(next);
      },
      onEvent: (event) => {
        const isFirst = current === emptyLog;
        current = withText(current, event);
        if (isFirst) setLog(current);
        timer ??= setTimeout(() => {
          timer = undefined;
          setLog(current);
        }, drawMs);
      },
    }).catch(setError);
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [operation, asked]);
  return { log, state, error };
}
