/**
 * The way in: an API key, email and password, or the code that `npm start`, `millrace console` or
 * an invitation put into the fragment of the address, where no server logs it.
 */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useEffect, useRef, useState, type ReactNode } from "react";

import type { RequestOf } from "#client/types.ts";

import { actFor } from "#console/api/acting.ts";
import { call } from "#console/api/client.ts";
import { isProblem } from "#console/api/problem.ts";
import { queryClient } from "#console/api/queries.ts";
import { Brand } from "#console/components/brand.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { useText } from "#console/i18n/index.ts";
import { Notice, Spinner } from "#console/ui/feedback.tsx";
import { Row, Stack } from "#console/ui/layout.tsx";
import { Heading, Muted } from "#console/ui/text.tsx";

import { LanguageMenu, ThemeMenu } from "./preferences.tsx";
import { InvitationForm, SignInForm, type Credential } from "./sign-in-forms.tsx";

/** What a link brought along. */
type Brought =
  | { readonly kind: "code"; readonly code: string }
  | { readonly kind: "invitation"; readonly code: string };

export function SignInPage(): ReactNode {
  const { t } = useText();
  const search: Record<string, unknown> = useSearch({ strict: false });
  const signIn = useSignIn(pathWithin(search["return"]));
  const [brought] = useState(takeFromAddress);
  const { enter } = signIn;
  const sent = useRef(false);
  const title =
    brought?.kind === "invitation" ? t("shell.signIn.invited") : t("shell.signIn.title");
  useEffect(() => {
    document.title = `${title} · ${t("shell.product")}`;
  }, [title, t]);
  useEffect(() => {
    if (brought?.kind !== "code" || sent.current) return;
    sent.current = true;
    void enter({ code: brought.code });
  }, [brought, enter]);
  const waitsForCode = brought?.kind === "code" && signIn.error === undefined;
  return (
    <main className="alone">
      <div className="card sign-in">
        <Stack>
          <Row justify="space-between">
            <Brand />
            <Row gap="xs">
              <LanguageMenu />
              <ThemeMenu />
            </Row>
          </Row>
          <div>
            <Heading level={1}>{title}</Heading>
            <Muted>{t("shell.signIn.lead")}</Muted>
          </div>
          {search["ended"] === undefined || signIn.error !== undefined ? null : (
            <Notice tone="info">{t("shell.signIn.ended")}</Notice>
          )}
          {waitsForCode ? (
            <Row>
              <Spinner label={t("shell.signIn.code")} />
              {t("shell.signIn.code")}
            </Row>
          ) : (
            <>
              <SignInProblem error={signIn.error} hadLink={brought !== undefined} />
              {brought?.kind === "invitation" ? (
                <InvitationForm
                  isBusy={signIn.isBusy}
                  onSubmit={(password) => void signIn.accept({ code: brought.code, password })}
                />
              ) : (
                <SignInForm
                  isBusy={signIn.isBusy}
                  onSubmit={(credential) => void enter(credential)}
                />
              )}
            </>
          )}
        </Stack>
      </div>
    </main>
  );
}

function SignInProblem({
  error,
  hadLink,
}: {
  readonly error: unknown;
  readonly hadLink: boolean;
}): ReactNode {
  const { t } = useText();
  if (error === undefined) return null;
  const isWrong =
    isProblem(error, "unauthenticated") || (!hadLink && isProblem(error, "invalid_request"));
  if (!isWrong) return <ProblemBox error={error} />;
  return (
    <Notice tone="bad">{hadLink ? t("shell.signIn.codeFailed") : t("shell.signIn.refused")}</Notice>
  );
}

interface SigningIn {
  readonly isBusy: boolean;
  readonly error: unknown;
  readonly enter: (credential: Credential) => Promise<void>;
  readonly accept: (invitation: RequestOf<"acceptInvitation">["body"]) => Promise<void>;
}

function useSignIn(back: string): SigningIn {
  const navigate = useNavigate();
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(undefined);
  const run = useCallback(
    async (work: () => Promise<unknown>): Promise<void> => {
      setBusy(true);
      setError(undefined);
      try {
        await work();
        // What another user read on this machine is not for this one.
        actFor(undefined);
        queryClient.clear();
        await navigate({ href: back, replace: true });
      } catch (cause) {
        setError(cause);
      } finally {
        setBusy(false);
      }
    },
    [navigate, back],
  );
  const enter = useCallback(
    (body: Credential) => run(() => call("createSession", { body }, { keepsSession: true })),
    [run],
  );
  const accept = useCallback(
    (body: RequestOf<"acceptInvitation">["body"]) =>
      run(() => call("acceptInvitation", { body }, { keepsSession: true })),
    [run],
  );
  return { isBusy, error, enter, accept };
}

/** Out of the address at once, so that it is not in the history. */
function takeFromAddress(): Brought | undefined {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const code = fragment.get("code");
  const invitation = fragment.get("invitation");
  if (code === null && invitation === null) return undefined;
  history.replaceState(history.state, "", `${location.pathname}${location.search}`);
  if (invitation !== null) return { kind: "invitation", code: invitation };
  return { kind: "code", code: code ?? "" };
}

/** Only a path of this console: an address from elsewhere must not lead away from it. */
function pathWithin(value: unknown): string {
  return typeof value === "string" && /^\/(?![/\\])/.test(value) && !value.startsWith("/sign-in")
    ? value
    : "/";
}
