/** The pages that one may see, by group. */
import { useId, type ReactNode } from "react";

import { acting } from "#console/api/acting.ts";
import { useMay } from "#console/api/session.ts";
import { useStore } from "#console/api/store.ts";
import { useText } from "#console/i18n/index.ts";
import { navGroups, pages, type NavGroup, type Page } from "#console/routes.tsx";
import { Icon } from "#console/ui/icons.tsx";
import { Link } from "#console/ui/link.tsx";

const operatorGroups: readonly NavGroup[] = ["operate", "sell", "money", "infrastructure"];

export function Navigation(): ReactNode {
  const may = useMay();
  const isOwnTenant = useStore(acting) === undefined;
  const isOperator = may("platform.read") && isOwnTenant;
  const shown = pages.filter(
    (page) => page.nav !== undefined && may(page.permission) && !(isOperator && page.path === "/"),
  );
  // To whom the cloud belongs, its own work comes first.
  const groups = isOperator
    ? [...operatorGroups, ...navGroups.filter((group) => !operatorGroups.includes(group))]
    : navGroups;
  return groups.map((group) => {
    const inGroup = shown
      .filter((page) => page.nav?.group === group)
      .toSorted((a, b) => (a.nav?.order ?? 0) - (b.nav?.order ?? 0));
    return inGroup.length === 0 ? null : <Group key={group} group={group} inGroup={inGroup} />;
  });
}

function Group({
  group,
  inGroup,
}: {
  readonly group: NavGroup;
  readonly inGroup: readonly Page[];
}): ReactNode {
  const { t } = useText();
  const titleId = useId();
  return (
    <>
      <div className="nav-group" id={titleId}>
        {t(`shell.group.${group}`)}
      </div>
      <ul className="nav-list" aria-labelledby={titleId}>
        {inGroup.map((page) => (
          <li key={page.path}>
            <Link to={page.path} isExact={hasPagesBelow(page, inGroup)} className="nav-link">
              {page.nav === undefined ? null : <Icon name={page.nav.icon} />}
              {t(page.title)}
            </Link>
          </li>
        ))}
      </ul>
    </>
  );
}

/** `/billing` is not the current page on `/billing/usage`, which the navigation shows too. */
function hasPagesBelow(page: Page, others: readonly Page[]): boolean {
  return page.path === "/" || others.some((other) => other.path.startsWith(`${page.path}/`));
}
