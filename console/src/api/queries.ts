/**
 * Reading and changing through TanStack Query. A query's key is the operation and what was asked,
 * so whoever asks the same shares the answer; `refresh` names operations, not keys.
 */
import {
  QueryClient,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
  type UseMutationResult,
  type UseQueryResult,
} from "@tanstack/react-query";
import { useRef } from "react";
import type {
  AnswerOf,
  Arguments,
  ItemOf,
  JsonOperationId,
  PagedOperationId,
  RequestOf,
} from "#client/types.ts";
import { randomKey } from "#client/request.ts";

import { callLoose, looseOf } from "./client.ts";
import { ApiProblem, isUnreachable } from "./problem.ts";
import { useNamedTenant } from "./tenant.ts";

/** Events make what is shown current; this bounds what a lost event costs. */
const staleMs = 15_000;
const retriesMax = 2;

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: staleMs,
      retry: (count, error) => isUnreachable(error) && count < retriesMax,
      networkMode: "always",
    },
    mutations: { networkMode: "always" },
  },
});

export interface ReadOptions {
  /** `false`: not now, e.g. while something else is not known yet. */
  readonly enabled?: boolean;
  /** Read again this often, for what no event tells. */
  readonly everyMs?: number;
  /** What was shown for the last request stays until the new answer is there. */
  readonly keepsLast?: boolean;
  /** For the operator: of this customer, whoever he acts for else. */
  readonly tenantId?: string | undefined;
}

export type ReadArguments<Id extends JsonOperationId> = Arguments<Id, ReadOptions>;

export function useApi<Id extends JsonOperationId>(
  id: Id,
  ...rest: ReadArguments<Id>
): UseQueryResult<AnswerOf<Id>> {
  const [request, options = {}] = rest;
  const named = useTenantId(options.tenantId);
  // Who is signed in stays the same whomever he acts for.
  const tenantId = id === "whoami" ? undefined : named;
  return useQuery<AnswerOf<Id>>({
    queryKey: keyOf(id, request, { tenantId }),
    queryFn: ({ signal }) => callLoose(id, looseOf(request), { signal, tenantId }),
    enabled: options.enabled ?? true,
    ...(options.everyMs === undefined ? {} : { refetchInterval: options.everyMs }),
    ...(options.keepsLast === true ? { placeholderData: lastOf(tenantId) } : {}),
  });
}

export interface Pages<Item> {
  readonly items: readonly Item[];
  readonly isPending: boolean;
  readonly isFetching: boolean;
  readonly error: Error | null;
  readonly hasMore: boolean;
  readonly isLoadingMore: boolean;
  readonly loadMore: () => void;
  readonly retry: () => void;
}

/** A list that comes in pages, as far as it was asked for. */
export function usePages<Id extends PagedOperationId & JsonOperationId>(
  id: Id,
  request: RequestOf<Id>,
  options: ReadOptions = {},
): Pages<ItemOf<Id>> {
  const loose = looseOf(request);
  const tenantId = useTenantId(options.tenantId);
  const query = useInfiniteQuery<{ items: ItemOf<Id>[]; next?: string }>({
    queryKey: keyOf(id, request, { kind: "pages", tenantId }),
    queryFn: ({ signal, pageParam }) =>
      callLoose(
        id,
        {
          ...loose,
          query: {
            ...loose.query,
            ...(typeof pageParam === "string" ? { cursor: pageParam } : {}),
          },
        },
        { signal, tenantId },
      ),
    initialPageParam: undefined,
    getNextPageParam: (last) => last.next,
    enabled: options.enabled ?? true,
    ...(options.everyMs === undefined ? {} : { refetchInterval: options.everyMs }),
    placeholderData: lastOf(tenantId),
  });
  return {
    items: query.data?.pages.flatMap((page) => page.items) ?? [],
    isPending: query.isPending,
    isFetching: query.isFetching,
    error: query.error,
    hasMore: query.hasNextPage,
    isLoadingMore: query.isFetchingNextPage,
    loadMore: () => {
      if (query.hasNextPage && !query.isFetchingNextPage) void query.fetchNextPage();
    },
    retry: () => void query.refetch(),
  };
}

/** An answer that has all of a list at once, as DataTable takes lists. */
export function wholeList<Item>(
  query: Pick<UseQueryResult, "isPending" | "isFetching" | "error" | "refetch">,
  items: readonly Item[] | undefined,
): Pages<Item> {
  return {
    items: items ?? [],
    isPending: query.isPending,
    isFetching: query.isFetching,
    error: query.error,
    hasMore: false,
    isLoadingMore: false,
    loadMore: () => undefined,
    retry: () => void query.refetch(),
  };
}

export interface ActionOptions<Id extends JsonOperationId> {
  readonly onDone?: (answer: AnswerOf<Id>, request: RequestOf<Id>) => void;
  /** For the operator: of this customer, whoever he acts for else. */
  readonly tenantId?: string | undefined;
}

/**
 * A change. Its Idempotency-Key stays while its outcome is not known, so that pressing the button
 * again after a lost answer asks for the same effect. When it is done, what is shown is read anew.
 */
export function useAction<Id extends JsonOperationId>(
  id: Id,
  options: ActionOptions<Id> = {},
): UseMutationResult<AnswerOf<Id>, Error, RequestOf<Id>> {
  const client = useQueryClient();
  const pending = useRef<{ readonly of: string; readonly key: string }>(undefined);
  const tenantId = useTenantId(options.tenantId);
  return useMutation<AnswerOf<Id>, Error, RequestOf<Id>>({
    mutationFn: (request) => {
      const of = JSON.stringify([request, tenantId]);
      if (pending.current?.of !== of) pending.current = { of, key: randomKey() };
      return callLoose(id, looseOf(request), { idempotencyKey: pending.current.key, tenantId });
    },
    onSuccess: (answer, request) => {
      pending.current = undefined;
      void client.invalidateQueries();
      options.onDone?.(answer, request);
    },
    onError: (error) => {
      const answered = error instanceof ApiProblem && error.status > 0 && error.status < 500;
      if (answered) pending.current = undefined;
    },
  });
}

/** Read anew what these operations gave, wherever it is shown. */
export function refresh(...ids: readonly JsonOperationId[]): void {
  for (const id of ids) void queryClient.invalidateQueries({ queryKey: [id] });
}

/** What was shown for the last request stays, but never what is another tenant's. */
function lastOf(tenantId: string | undefined) {
  return <Data>(
    last: Data | undefined,
    query: { readonly queryKey: readonly unknown[] } | undefined,
  ): Data | undefined => (query?.queryKey[tenantAt] === tenantId ? last : undefined);
}

function useTenantId(given: string | undefined): string | undefined {
  const named = useNamedTenant();
  return given ?? named?.id;
}

/** Where a key has the tenant, if it names one. */
const tenantAt = 3;

function keyOf(
  id: JsonOperationId,
  request: unknown,
  { kind = "one", tenantId }: { readonly kind?: string; readonly tenantId: string | undefined },
): readonly unknown[] {
  const key: unknown[] = [id, request ?? {}, kind];
  if (tenantId !== undefined) key[tenantAt] = tenantId;
  return key;
}
