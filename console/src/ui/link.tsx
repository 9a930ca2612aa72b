/**
 * A link inside the console. `to` is a path of the table in routes.tsx (a test looks whether it is),
 * `search` what the page reads from its address. The project that is chosen travels along by itself.
 */
import { Link as RouterLink } from "@tanstack/react-router";
import type { AnchorHTMLAttributes, ReactNode, Ref } from "react";

export type SearchValues = Readonly<Record<string, string | undefined>>;

export interface LinkTarget {
  readonly to: string;
  readonly params?: Readonly<Record<string, string>> | undefined;
  readonly search?: SearchValues | undefined;
  readonly hash?: string | undefined;
}

interface LinkProps
  extends Omit<AnchorHTMLAttributes<HTMLAnchorElement>, "href" | "target">, LinkTarget {
  readonly children?: ReactNode;
  readonly ref?: Ref<HTMLAnchorElement>;
  /** Marked as the current page only on exactly this path. */
  readonly isExact?: boolean;
}

export function Link({ to, params, search, hash, isExact = false, ...rest }: LinkProps): ReactNode {
  return (
    <RouterLink
      {...rest}
      to={to}
      {...(params === undefined ? {} : { params })}
      {...(hash === undefined ? {} : { hash })}
      search={search ?? {}}
      activeOptions={{ exact: isExact, includeSearch: false }}
      preload="intent"
    />
  );
}

/** Text within a sentence or a table that leads on. */
export function TextLink(props: LinkProps): ReactNode {
  return <Link {...props} className={`text-link ${props.className ?? ""}`} />;
}

/** Out of the console, wherever it stands: in muted text too it must be seen to be one. */
export function ExternalLink({
  href,
  children,
}: {
  readonly href: string;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <a href={href} target="_blank" rel="noreferrer" className="text-link away">
      {children}
    </a>
  );
}
