/**
 * The way in: an API key, email and password, or the code that `npm start`, `millrace console` or
 * an invitation put into the fragment of the address, where no server logs it.
 */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useState, type FormEvent, type ReactNode } from "react";

import { actFor } from "#console/api/acting.ts";
import { call } from "#console/api/client.ts";
import { isProblem } from "#console/api/problem.ts";
import { queryClient } from "#console/api/queries.ts";
import { Brand } from "#console/components/brand.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Notice, Spinner } from "#console/ui/feedback.tsx";
import { PasswordField, Segments, TextField } from "#console/ui/fields.tsx";
import { Row, Stack } from "#console/ui/layout.tsx";
import { Heading, Muted } from "#console/ui/text.tsx";

import { LanguageMenu, ThemeMenu } from "./preferences.tsx";

type Way = "key" | "password";
type Credential =
  | { readonly credential: string }
  | { readonly code: string }
  | { readonly email: string; readonly password: string };

export function SignInPage(): ReactNode {
  const { t } = useText();
  const search: Record<string, unknown> = useSearch({ strict: false });
  const signIn = useSignIn(pathWithin(search["return"]));
  const [code] = useState(takeCode);
  const { send } = signIn;
  const sent = useRef(false);
  useEffect(() => {
    document.title = `${t("shell.signIn.title")} · ${t("shell.product")}`;
  }, [t]);
  useEffect(() => {
    if (code === undefined || sent.current) return;
    sent.current = true;
    void send({ code });
  }, [code, send]);
  const waitsForCode = code !== undefined && signIn.error === undefined;
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
            <Heading level={1}>{t("shell.signIn.title")}</Heading>
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
              <SignInProblem error={signIn.error} hadCode={code !== undefined} />
              <SignInForm isBusy={signIn.isBusy} onSubmit={(credential) => void send(credential)} />
            </>
          )}
        </Stack>
      </div>
    </main>
  );
}

function SignInForm({
  isBusy,
  onSubmit,
}: {
  readonly isBusy: boolean;
  readonly onSubmit: (credential: Credential) => void;
}): ReactNode {
  const { t } = useText();
  const [way, setWay] = useState<Way>("key");
  const [key, setKey] = useState("");
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    onSubmit(way === "key" ? { credential: key.trim() } : { email: email.trim(), password });
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <Segments<Way>
          label={t("shell.signIn.title")}
          fullWidth
          choices={[
            { value: "key", label: t("shell.signIn.withKey") },
            { value: "password", label: t("shell.signIn.withPassword") },
          ]}
          value={way}
          onChange={setWay}
        />
        {way === "key" ? (
          <PasswordField
            label={t("shell.signIn.key")}
            description={t("shell.signIn.keyHelp")}
            revealLabel={t("common.reveal")}
            value={key}
            onChange={setKey}
            autoComplete="off"
            required
          />
        ) : (
          <>
            <TextField
              label={t("shell.signIn.email")}
              value={email}
              onChange={setEmail}
              autoComplete="username"
              required
            />
            <PasswordField
              label={t("shell.signIn.password")}
              revealLabel={t("common.reveal")}
              value={password}
              onChange={setPassword}
              autoComplete="current-password"
              required
            />
          </>
        )}
        <Button type="submit" kind="primary" fullWidth isBusy={isBusy}>
          {t("shell.signIn.submit")}
        </Button>
      </Stack>
    </form>
  );
}

function SignInProblem({
  error,
  hadCode,
}: {
  readonly error: unknown;
  readonly hadCode: boolean;
}): ReactNode {
  const { t } = useText();
  if (error === undefined) return null;
  if (isProblem(error, "unauthenticated", "invalid_request")) {
    return (
      <Notice tone="bad">
        {hadCode ? t("shell.signIn.codeFailed") : t("shell.signIn.refused")}
      </Notice>
    );
  }
  return <ProblemBox error={error} />;
}

function useSignIn(back: string): {
  readonly isBusy: boolean;
  readonly error: unknown;
  readonly send: (credential: Credential) => Promise<void>;
} {
  const navigate = useNavigate();
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(undefined);
  const latest = useRef({ navigate, back });
  latest.current = { navigate, back };
  const [send] = useState(() => async (credential: Credential): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      await call("createSession", { body: credential }, { keepsSession: true });
      // What another user read on this machine is not for this one.
      actFor(undefined);
      queryClient.clear();
      await latest.current.navigate({ href: latest.current.back, replace: true });
    } catch (cause) {
      setError(cause);
    } finally {
      setBusy(false);
    }
  });
  return { isBusy, error, send };
}

/** Out of the address at once, so that it is not in the history. */
function takeCode(): string | undefined {
  const code = new URLSearchParams(location.hash.slice(1)).get("code");
  if (code === null) return undefined;
  history.replaceState(history.state, "", `${location.pathname}${location.search}`);
  return code;
}

/** Only a path of this console: an address from elsewhere must not lead away from it. */
function pathWithin(value: unknown): string {
  return typeof value === "string" && /^\/(?![/\\])/.test(value) && !value.startsWith("/sign-in")
    ? value
    : "/";
}
