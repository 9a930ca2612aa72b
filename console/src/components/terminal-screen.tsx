/** The screen itself: bytes of the WebSocket to xterm.js and back. Loaded by terminal.tsx only. */
import "@xterm/xterm/css/xterm.css";
import { FitAddon } from "@xterm/addon-fit";
import { Terminal as Xterm } from "@xterm/xterm";
import { useEffect, useRef, useState, type ReactNode } from "react";

import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Badge } from "#console/ui/feedback.tsx";
import { Row, Stack } from "#console/ui/layout.tsx";
import { Muted } from "#console/ui/text.tsx";

type State = "connecting" | "connected" | "closed";

const scrollback = 5000;

export function TerminalScreen({ path }: { readonly path: string }): ReactNode {
  const { t } = useText();
  const place = useRef<HTMLDivElement>(null);
  const [state, setState] = useState<State>("connecting");
  const [reason, setReason] = useState("");
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (place.current === null) return undefined;
    const screen = new Xterm({
      scrollback,
      cursorBlink: true,
      fontSize: 13,
      fontFamily: 'ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace',
      theme: { background: "#101315", foreground: "#dfe5e8" },
      screenReaderMode: true,
    });
    const fit = new FitAddon();
    screen.loadAddon(fit);
    screen.open(place.current);
    fit.fit();
    const sizes = new ResizeObserver(() => fit.fit());
    sizes.observe(place.current);
    setState("connecting");
    const socket = new WebSocket(new URL(path, location.href.replace(/^http/, "ws")));
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => {
      setState("connected");
      screen.focus();
    });
    socket.addEventListener("message", (event: MessageEvent<unknown>) => {
      if (event.data instanceof ArrayBuffer) screen.write(new Uint8Array(event.data));
      else if (typeof event.data === "string") screen.write(event.data);
    });
    socket.addEventListener("close", (event) => {
      setReason(event.reason);
      setState("closed");
    });
    const encoder = new TextEncoder();
    screen.onData((data) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(encoder.encode(data));
    });
    return () => {
      sizes.disconnect();
      socket.close();
      screen.dispose();
    };
  }, [path, turn]);
  return (
    <Stack gap="xs">
      <Row justify="space-between">
        <span role="status">
          <Badge tone={state === "connected" ? "good" : state === "closed" ? "bad" : "info"}>
            {t(`common.terminal.${state}`)}
          </Badge>{" "}
          <Muted>{state === "closed" ? reason : ""}</Muted>
        </span>
        {state === "closed" ? (
          <Button size="xs" icon="refresh" onClick={() => setTurn(turn + 1)}>
            {t("common.terminal.reconnect")}
          </Button>
        ) : null}
      </Row>
      <div
        className="serial-screen"
        ref={place}
        role="application"
        aria-label={t("common.terminal.label")}
      />
    </Stack>
  );
}
