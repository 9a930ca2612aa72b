/** Customers by name where the operator chooses one, or reads of one. */
import { useEffect, type ReactNode } from "react";

import { usePages } from "#console/api/queries.ts";
import { useText } from "#console/i18n/index.ts";
import { Select } from "#console/ui/fields.tsx";
import { TextLink } from "#console/ui/link.tsx";

/** Beyond these one goes by the customer's own page. */
const namesMax = 2000;

export interface TenantNames {
  readonly choices: readonly { readonly value: string; readonly label: string }[];
  readonly nameOf: (id: string) => string | undefined;
}

export function useTenantNames(): TenantNames {
  const pages = usePages("listTenants", { query: { limit: 200 } });
  const { items, hasMore, isLoadingMore, loadMore } = pages;
  const wantsMore = hasMore && !isLoadingMore && items.length < namesMax;
  useEffect(() => {
    if (wantsMore) loadMore();
  }, [wantsMore, loadMore]);
  const names = new Map(items.map(({ id, displayName }) => [id, displayName]));
  return {
    choices: items.map(({ id, name, displayName }) => ({
      value: id,
      label: displayName === name ? name : `${displayName} (${name})`,
    })),
    nameOf: (id) => names.get(id),
  };
}

export function TenantSelect({
  value,
  onChange,
  label,
  required = false,
}: {
  readonly value: string | undefined;
  readonly onChange: (id: string | undefined) => void;
  readonly label?: string;
  /** One must be chosen; else none is everybody. */
  readonly required?: boolean;
}): ReactNode {
  const { t } = useText();
  const { choices } = useTenantNames();
  return (
    <Select
      label={label ?? t("books.customer")}
      {...(required ? {} : { placeholder: t("books.anyCustomer") })}
      choices={choices}
      value={value}
      onChange={onChange}
      isSearchable
      isClearable={!required}
      required={required}
    />
  );
}

export function TenantLink({
  id,
  name,
}: {
  readonly id: string;
  readonly name: string;
}): ReactNode {
  return (
    <TextLink to="/operate/customers/$tenantId" params={{ tenantId: id }}>
      <bdi style={{ display: "inline-block", minWidth: "8rem", overflowWrap: "anywhere" }}>
        {name}
      </bdi>
    </TextLink>
  );
}

/** Of the address. */
export function tenantText(text: string): string | undefined {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text) ? text : undefined;
}
