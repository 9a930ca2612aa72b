/**
 * To rent an instance: presets first, then what is rarely changed, and beside it all the time what
 * it costs, whether there is room, and what is left afterwards. The chosen flavor, the plan and the
 * expected hours are in the address, so that an offer or a link can choose them.
 */
import { useState, type ReactNode } from "react";
import { useNavigate } from "@tanstack/react-router";

import { useAction, useApi } from "#console/api/queries.ts";
import { PageHead } from "#console/components/page-head.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { anyText, oneOf, useSearchParams } from "#console/components/search-params.ts";
import { useText } from "#console/i18n/index.ts";
import { useProject } from "#console/shell/project.tsx";
import { Skeleton } from "#console/ui/feedback.tsx";
import { Stack, WithAside } from "#console/ui/layout.tsx";
import { toast } from "#console/ui/toast.tsx";

import { FlavorChoice } from "./flavor-choice.tsx";
import { RentBesides } from "./rent-besides.tsx";
import {
  emptyForm,
  faultsOf,
  imageFor,
  leaseBody,
  plans,
  rentCommand,
  type Chosen,
  type RentForm,
} from "./rent-form.ts";
import { RentMachine } from "./rent-machine.tsx";
import { RentSummary } from "./rent-summary.tsx";
import { useRentQuote } from "./rent-quote.ts";

const hoursText = (text: string): string | undefined =>
  /^[1-9][0-9]{0,4}$/.test(text) && Number(text) <= 87_600 ? text : undefined;
const hoursDefault = "720";

export function NewInstancePage(): ReactNode {
  const { t } = useText();
  const offers = useApi("listOffers");
  const images = useApi("listImages");
  const error = offers.error ?? images.error;
  return (
    <>
      <PageHead
        title={t("rent.title")}
        lead={t("rent.lead")}
        parent={{ to: "/instances", label: t("instances.title") }}
      />
      {offers.data !== undefined && images.data !== undefined ? (
        <RentPage offers={offers.data.items} images={images.data.items} />
      ) : error === null ? (
        <Skeleton lines={10} label={t("common.loading")} />
      ) : (
        <ProblemBox error={error} onRetry={() => void offers.refetch()} />
      )}
    </>
  );
}

type Offers = NonNullable<ReturnType<typeof useApi<"listOffers">>["data"]>["items"];
type Images = NonNullable<ReturnType<typeof useApi<"listImages">>["data"]>["items"];

function RentPage({
  offers,
  images,
}: {
  readonly offers: Offers;
  readonly images: Images;
}): ReactNode {
  const { t } = useText();
  const navigate = useNavigate();
  const project = useProject();
  const [search, setSearch] = useSearchParams({
    flavor: anyText(63),
    plan: oneOf(plans),
    hours: hoursText,
  });
  const [form, setForm] = useState<RentForm>(emptyForm);
  const [isAsked, setAsked] = useState(false);
  const offer =
    offers.find(({ flavor }) => flavor.name === search.flavor) ??
    offers.find(({ price, freeNow }) => price.status === "priced" && freeNow > 0) ??
    offers[0];
  const ready = images.filter(({ state }) => state === "ready");
  const image = imageFor(ready, form.image, offer?.flavor);
  const plan = offer?.flavor.subscriptionSku === null ? "on_demand" : (search.plan ?? "on_demand");
  const hours = Number(search.hours ?? hoursDefault);
  const quote = useRentQuote({
    flavor: offer?.flavor.name,
    diskGiB: form.diskGiB,
    hours,
    plan,
  });
  const onDone = ({
    lease,
  }: {
    readonly lease: { readonly id: string; readonly name: string };
  }) => {
    toast({ tone: "good", title: t("rent.asked", { name: lease.name }) });
    void navigate({ to: "/instances/$leaseId", params: { leaseId: lease.id } });
  };
  const lease = useAction("createLease", { onDone });
  const subscription = useAction("orderSubscription", { onDone });
  if (offer === undefined) return <p>{t("offers.emptyText")}</p>;
  const chosen: Chosen = { flavor: offer.flavor, image };
  const faults = faultsOf(form, chosen);
  const change = (changes: Partial<RentForm>): void => setForm({ ...form, ...changes });
  const body = leaseBody({ ...form, projectId: form.projectId ?? project }, chosen);
  const amount = quote.order.data?.amount;
  const ordered =
    plan === "on_demand"
      ? undefined
      : { ...body, term: plan, autoRenew: form.autoRenew, expectedAmount: amount ?? "0.00" };
  const submit = (): void => {
    setAsked(true);
    if (Object.keys(faults).length > 0) {
      document.querySelector<HTMLElement>("main [aria-invalid=true]")?.focus();
      return;
    }
    if (ordered === undefined) lease.mutate({ body });
    else subscription.mutate({ body: ordered });
  };
  const error = ordered === undefined ? lease.error : subscription.error;
  const parts = { form, change, faults: isAsked ? faults : typed(faults), error };
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <WithAside
        aside={
          <RentSummary
            offer={offer}
            quote={quote}
            plan={plan}
            hours={hours}
            onPlan={(next) => setSearch({ plan: next === "on_demand" ? undefined : next })}
            onHours={(next) => setSearch({ hours: String(next) })}
            autoRenew={form.autoRenew}
            onAutoRenew={(autoRenew) => change({ autoRenew })}
            error={error}
            isBusy={lease.isPending || subscription.isPending}
            call={
              ordered === undefined
                ? { operation: "createLease", request: { body }, command: rentCommand(body) }
                : { operation: "orderSubscription", request: { body: ordered } }
            }
          />
        }
      >
        <Stack>
          <FlavorChoice
            offers={offers}
            value={offer.flavor.name}
            onChange={(flavor) => setSearch({ flavor })}
          />
          <RentMachine {...parts} offer={offer} images={ready} image={image} />
          <RentBesides {...parts} image={image} />
        </Stack>
      </WithAside>
    </form>
  );
}

/** Before the form is sent nothing is said of what is merely not filled in yet. */
function typed(faults: ReturnType<typeof faultsOf>): ReturnType<typeof faultsOf> {
  const { name, ...rest } = faults;
  return name === undefined || name === "nameMissing" ? rest : { ...rest, name };
}
