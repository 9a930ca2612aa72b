/** Where one is and what it costs, always in view; and what is for the person, not the page. */
import type { ReactNode } from "react";

import { useNavigate } from "@tanstack/react-router";
import { acting } from "#console/api/acting.ts";
import { call } from "#console/api/client.ts";
import { queryClient, useApi } from "#console/api/queries.ts";
import { reportSessionEnd } from "#console/api/reach.ts";
import { useStore } from "#console/api/store.ts";
import { Brand } from "#console/components/brand.tsx";
import { Money } from "#console/components/money.tsx";
import { useText } from "#console/i18n/index.ts";
import { Button, IconButton } from "#console/ui/button.tsx";
import { Menu, type MenuEntry } from "#console/ui/overlay.tsx";

import { NoticesButton } from "./notices.tsx";
import { LanguageMenu, ThemeMenu } from "./preferences.tsx";
import { ProjectMenu } from "./project.tsx";
import { useMay, useSession } from "#console/api/session.ts";
import { useSignedInAs } from "./session.tsx";

export function Header({
  onOpenNav,
  onOpenPalette,
}: {
  readonly onOpenNav: () => void;
  readonly onOpenPalette: () => void;
}): ReactNode {
  const { t } = useText();
  return (
    <header className="frame-header">
      <span className="only-narrow">
        <IconButton icon="menu" label={t("shell.openNavigation")} onClick={onOpenNav} />
      </span>
      <Brand isLink />
      <span className="only-wide">
        <ProjectMenu />
      </span>
      <span className="spring" />
      <BalanceFigure />
      <IconButton
        icon="search"
        label={`${t("shell.palette.open")} (Ctrl+K)`}
        onClick={onOpenPalette}
      />
      <NoticesButton />
      <span className="only-wide header-group">
        <LanguageMenu />
        <ThemeMenu />
      </span>
      <UserMenu />
    </header>
  );
}

function BalanceFigure(): ReactNode {
  const { t } = useText();
  const may = useMay();
  const isOwnTenant = useStore(acting) === undefined;
  // The operator's own tenant is no customer: it owes and holds nothing.
  const mayRead = may("billing.read") && !(isOwnTenant && may("platform.read"));
  const balance = useApi("getBalance", {}, { enabled: mayRead, everyMs: 60_000 });
  if (balance.data === undefined) return null;
  const { available, burnPerHour } = balance.data;
  return (
    <div className="header-figure" aria-label={t("shell.balance")} role="group">
      <span>
        <Money amount={available} /> <small className="only-wide">{t("shell.available")}</small>
      </span>
      <small>
        <Money amount={burnPerHour} />
        /h
      </small>
    </div>
  );
}

function UserMenu(): ReactNode {
  const { t } = useText();
  const { user } = useSession();
  const signedInAs = useSignedInAs();
  const navigate = useNavigate();
  const signOut = async (): Promise<void> => {
    await call("endSession", {}, { keepsSession: true }).catch(reportSessionEnd);
    queryClient.clear();
    await navigate({ to: "/sign-in" });
  };
  const entries: MenuEntry[] = [
    { kind: "label", label: signedInAs },
    { kind: "label", label: t(`shell.role.${user.role}`) },
    { kind: "divider" },
    { kind: "action", icon: "exit", label: t("shell.signOut"), run: () => void signOut() },
  ];
  return (
    <>
      <span className="only-wide">
        <Menu
          trigger={
            <Button kind="quiet" icon="user">
              {user.name}
            </Button>
          }
          entries={entries}
        />
      </span>
      <span className="only-narrow">
        <Menu trigger={<IconButton icon="user" label={t("shell.account")} />} entries={entries} />
      </span>
    </>
  );
}
