/** Versions of the price profile. */
import type { z } from "zod";

import type { Handler } from "#api/handler.ts";
import { pageByAge } from "#api/page.ts";
import {
  activatePriceProfile,
  createPriceProfile,
  findPriceProfile,
  listPriceProfiles,
  readPriceProfile,
  type PriceProfileDetail,
  type PriceProfileVersion,
} from "#catalog/price-profiles.ts";
import { profileWarnings } from "#catalog/profile-check.ts";
import type { Operations } from "#contract/operations.ts";
import type * as catalog from "#contract/schemas/catalog.ts";
import { present } from "#kernel/assert.ts";
import { localDay } from "#kernel/calendar.ts";
import { Failure } from "#kernel/failure.ts";

export const listProfiles: Handler<Operations["listPriceProfiles"]> = ({ query }, { tx }) =>
  pageByAge(query, (ask) => listPriceProfiles(tx, ask), showVersion);

export const getProfile: Handler<Operations["getPriceProfile"]> = async ({ params }, { tx }) => {
  const found = await findPriceProfile(tx, params.profileId);
  if (found === undefined) throw new Failure("not_found", "There is no such price profile.");
  return showDetail(found);
};

export const createProfile: Handler<Operations["createPriceProfile"]> = async ({ body }, { tx }) =>
  showDetail(await createPriceProfile(tx, body));

export const checkProfile: Handler<Operations["checkPriceProfile"]> = ({ body }) => {
  const read = readPriceProfile(body.profile);
  return Promise.resolve(
    "profile" in read
      ? {
          problems: [],
          findings: profileWarnings(read.profile).map((message) => ({
            severity: "warning" as const,
            message,
          })),
        }
      : { problems: read.issues.map((issue) => ({ ...issue })), findings: [] },
  );
};

export const activateProfile: Handler<Operations["activatePriceProfile"]> = async (
  { params, body },
  { tx, now },
) => {
  const { id } = await activatePriceProfile(tx, {
    id: params.profileId,
    from: localDay(body.from),
    now: now(),
  });
  return showDetail(present(await findPriceProfile(tx, id), "the profile"));
};

function showVersion(version: PriceProfileVersion): z.output<typeof catalog.priceProfileVersion> {
  return { ...version, createdAt: new Date(version.createdAt).toISOString() };
}

function showDetail(detail: PriceProfileDetail): z.output<typeof catalog.priceProfileDetail> {
  const { body, warnings, ...version } = detail;
  return {
    ...showVersion(version),
    profile: { ...body },
    findings: warnings.map((message) => ({ severity: "warning", message })),
  };
}
