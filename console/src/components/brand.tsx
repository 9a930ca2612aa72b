/** The sign of the product. */
import type { ReactNode } from "react";

import { useText } from "#console/i18n/index.ts";
import { Link } from "#console/ui/link.tsx";

export function Brand({ isLink = false }: { readonly isLink?: boolean }): ReactNode {
  const { t } = useText();
  const inner = (
    <>
      <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
        <rect width="32" height="32" rx="7" fill="#0b7285" />
        <g fill="none" stroke="#fff" strokeWidth="2.6" strokeLinecap="round">
          <path d="M5 11c3.7-3 7.3-3 11 0s7.3 3 11 0" />
          <path d="M5 17c3.7-3 7.3-3 11 0s7.3 3 11 0" />
          <path d="M5 23c3.7-3 7.3-3 11 0s7.3 3 11 0" opacity=".6" />
        </g>
      </svg>
      <span className={isLink ? "only-wide" : undefined}>{t("shell.product")}</span>
    </>
  );
  return isLink ? (
    <Link to="/" className="brand" aria-label={t("shell.product")}>
      {inner}
    </Link>
  ) : (
    <span className="brand">{inner}</span>
  );
}
