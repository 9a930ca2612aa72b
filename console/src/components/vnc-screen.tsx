/** The screen itself: RFB in the frames of a WebSocket. Loaded by vnc.tsx only. */
import RFB from "@novnc/novnc";
import { useEffect, useRef, useState, type ReactNode } from "react";

import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Badge } from "#console/ui/feedback.tsx";
import { Row, Stack } from "#console/ui/layout.tsx";

type State = "connecting" | "connected" | "closed";

export function VncScreen({ path }: { readonly path: string }): ReactNode {
  const { t } = useText();
  const place = useRef<HTMLDivElement>(null);
  const screen = useRef<RFB>(undefined);
  const [state, setState] = useState<State>("connecting");
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (place.current === null) return undefined;
    setState("connecting");
    const address = new URL(path, location.href.replace(/^http/, "ws")).href;
    const rfb = new RFB(place.current, address, { shared: true });
    rfb.scaleViewport = true;
    rfb.background = "#101315";
    rfb.addEventListener("connect", () => {
      setState("connected");
      rfb.focus();
    });
    rfb.addEventListener("disconnect", () => setState("closed"));
    screen.current = rfb;
    return () => {
      screen.current = undefined;
      rfb.disconnect();
    };
  }, [path, turn]);
  return (
    <Stack gap="xs">
      <Row justify="space-between">
        <span role="status">
          <Badge tone={state === "connected" ? "good" : state === "closed" ? "bad" : "info"}>
            {t(`common.terminal.${state}`)}
          </Badge>
        </span>
        {state === "closed" ? (
          <Button size="xs" icon="refresh" onClick={() => setTurn(turn + 1)}>
            {t("common.terminal.reconnect")}
          </Button>
        ) : (
          <Button size="xs" onClick={() => screen.current?.sendCtrlAltDel()}>
            Ctrl+Alt+Del
          </Button>
        )}
      </Row>
      <div
        className="vnc"
        ref={place}
        role="application"
        aria-label={t("common.terminal.screen")}
      />
    </Stack>
  );
}
