/** The forms of the sign-in page: a key, email and password, or the password that one was invited to set. */
import { useState, type FormEvent, type ReactNode } from "react";
import type { RequestOf } from "#client/types.ts";

import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { PasswordField, Segments, TextField } from "#console/ui/fields.tsx";
import { Stack } from "#console/ui/layout.tsx";

type Way = "key" | "password";
export type Credential = RequestOf<"createSession">["body"];

/** The contract's rule, said before it is broken. */
const passwordCharactersMin = 12;

export function InvitationForm({
  isBusy,
  onSubmit,
}: {
  readonly isBusy: boolean;
  readonly onSubmit: (password: string) => void;
}): ReactNode {
  const { t } = useText();
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const tooShort = password !== "" && password.length < passwordCharactersMin;
  const differs = again !== "" && again !== password;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (password.length >= passwordCharactersMin && password === again) onSubmit(password);
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <PasswordField
          label={t("shell.signIn.newPassword")}
          description={t("shell.signIn.passwordRule", { count: passwordCharactersMin })}
          error={
            tooShort ? t("shell.signIn.tooShort", { count: passwordCharactersMin }) : undefined
          }
          revealLabel={t("common.reveal")}
          value={password}
          onChange={setPassword}
          autoComplete="new-password"
          required
        />
        <PasswordField
          label={t("shell.signIn.again")}
          error={differs ? t("shell.signIn.differs") : undefined}
          revealLabel={t("common.reveal")}
          value={again}
          onChange={setAgain}
          autoComplete="new-password"
          required
        />
        <Button type="submit" kind="primary" fullWidth isBusy={isBusy}>
          {t("shell.signIn.setPassword")}
        </Button>
      </Stack>
    </form>
  );
}

export function SignInForm({
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
