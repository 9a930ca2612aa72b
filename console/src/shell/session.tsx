/**
 * The gate of the frame: inside, it is known who is signed in. When the session ends, by time or
 * elsewhere, the way leads to the sign-in page and back to where one was.
 */
import { useNavigate } from "@tanstack/react-router";
import { useContext, useEffect, useMemo, useRef, type ReactNode } from "react";

import { followChanges } from "#console/api/live.ts";
import { isProblem } from "#console/api/problem.ts";
import { queryClient, useApi } from "#console/api/queries.ts";
import { acting } from "#console/api/acting.ts";
import { reach, sessionEnds } from "#console/api/reach.ts";
import { SessionContext, useMay } from "#console/api/session.ts";
import { useStore } from "#console/api/store.ts";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { useText } from "#console/i18n/index.ts";
import { Spinner } from "#console/ui/feedback.tsx";

export function SessionGate({ children }: { readonly children: ReactNode }): ReactNode {
  const { t } = useText();
  const who = useApi("whoami");
  useSignInWhenOver(who.data !== undefined);
  useFreshAfterSilence();
  if (who.data !== undefined) {
    return (
      <SessionContext value={who.data}>
        <Live />
        {children}
      </SessionContext>
    );
  }
  if (who.error === null || isProblem(who.error, "unauthenticated")) {
    return (
      <main className="alone">
        <Spinner label={t("common.loading")} />
      </main>
    );
  }
  return (
    <main className="alone">
      <ProblemBox error={who.error} onRetry={() => void who.refetch()} />
    </main>
  );
}

function Live(): ReactNode {
  const mayFollow = useMay()("compute.read");
  const tenant = useStore(acting);
  useEffect(() => {
    if (!mayFollow) return undefined;
    const stop = new AbortController();
    void followChanges(stop.signal);
    return () => stop.abort();
  }, [mayFollow, tenant]);
  return null;
}

function useSignInWhenOver(isIn: boolean): void {
  const ends = useStore(sessionEnds);
  // Those of earlier sessions are over and done with.
  const seen = useRef(ends);
  const wasIn = useRef(false);
  if (isIn) wasIn.current = true;
  const navigate = useNavigate();
  useEffect(() => {
    if (ends === seen.current) return;
    seen.current = ends;
    const back = `${location.pathname}${location.search}`;
    queryClient.clear();
    void navigate({
      to: "/sign-in",
      search: { return: back, ...(wasIn.current ? { ended: "1" } : {}) },
      replace: true,
    });
  }, [ends, navigate]);
}

/** The server was away: whatever is shown is read anew. */
function useFreshAfterSilence(): void {
  const state = useStore(reach);
  const wasGone = useRef(false);
  useEffect(() => {
    if (state === "gone") wasGone.current = true;
    else if (wasGone.current) {
      wasGone.current = false;
      void queryClient.invalidateQueries();
    }
  }, [state]);
}

export function useSignedInAs(): string {
  const who = useContext(SessionContext);
  const { t } = useText();
  const names = useMemo(
    () => ({ user: who?.user.name ?? "", tenant: who?.tenant.displayName ?? "" }),
    [who],
  );
  return t("shell.signedInAs", names);
}
