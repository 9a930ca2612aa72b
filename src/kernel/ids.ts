/**
 * Ids as brands over lower-case uuid text, one per kind of record, so that a project's id cannot
 * be passed where a tenant's is meant. `TenantId.parse` is for the edge, `TenantId.is` for schemas.
 */
import type { Brand } from "./brand.ts";
import { Failure } from "./failure.ts";

export interface IdKind<Name extends string> {
  readonly name: Name;
  is(text: string): text is Brand<string, Name>;
  /** Canonical lower-case text; throws `invalid_request` for anything but a uuid. */
  parse(text: string): Brand<string, Name>;
}

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function isId<Name extends string>(text: string): text is Brand<string, Name> {
  return uuidPattern.test(text);
}

function idKind<const Name extends string>(name: Name): IdKind<Name> {
  return {
    name,
    is: isId<Name>,
    parse(text) {
      const lower = text.toLowerCase();
      if (isId<Name>(lower)) return lower;
      const shown = JSON.stringify(text.slice(0, 60));
      throw new Failure("invalid_request", `${shown} is not the id of a ${name}: a uuid is.`);
    },
  };
}

export type TenantId = Brand<string, "tenant">;
export const TenantId: IdKind<"tenant"> = idKind("tenant");
export type ProjectId = Brand<string, "project">;
export const ProjectId: IdKind<"project"> = idKind("project");
export type UserId = Brand<string, "user">;
export const UserId: IdKind<"user"> = idKind("user");
export type ApiKeyId = Brand<string, "api key">;
export const ApiKeyId: IdKind<"api key"> = idKind("api key");
export type SshKeyId = Brand<string, "ssh key">;
export const SshKeyId: IdKind<"ssh key"> = idKind("ssh key");
export type RoleId = Brand<string, "role">;
export const RoleId: IdKind<"role"> = idKind("role");
export type ZoneId = Brand<string, "zone">;
export const ZoneId: IdKind<"zone"> = idKind("zone");
export type PodId = Brand<string, "pod">;
export const PodId: IdKind<"pod"> = idKind("pod");
export type ClusterId = Brand<string, "cluster">;
export const ClusterId: IdKind<"cluster"> = idKind("cluster");
export type HostId = Brand<string, "host">;
export const HostId: IdKind<"host"> = idKind("host");
export type PoolId = Brand<string, "pool">;
export const PoolId: IdKind<"pool"> = idKind("pool");
export type FlavorId = Brand<string, "flavor">;
export const FlavorId: IdKind<"flavor"> = idKind("flavor");
export type ImageId = Brand<string, "image">;
export const ImageId: IdKind<"image"> = idKind("image");
export type VolumeId = Brand<string, "volume">;
export const VolumeId: IdKind<"volume"> = idKind("volume");
export type SnapshotId = Brand<string, "snapshot">;
export const SnapshotId: IdKind<"snapshot"> = idKind("snapshot");
export type ProfileId = Brand<string, "profile">;
export const ProfileId: IdKind<"profile"> = idKind("profile");
export type RequestId = Brand<string, "request">;
export const RequestId: IdKind<"request"> = idKind("request");
export type LeaseId = Brand<string, "lease">;
export const LeaseId: IdKind<"lease"> = idKind("lease");
export type JobId = Brand<string, "job">;
export const JobId: IdKind<"job"> = idKind("job");
export type AttemptId = Brand<string, "attempt">;
export const AttemptId: IdKind<"attempt"> = idKind("attempt");
export type PlacementId = Brand<string, "placement">;
export const PlacementId: IdKind<"placement"> = idKind("placement");
export type InstanceId = Brand<string, "instance">;
export const InstanceId: IdKind<"instance"> = idKind("instance");
export type OperationId = Brand<string, "operation">;
export const OperationId: IdKind<"operation"> = idKind("operation");
export type UsageIntervalId = Brand<string, "usage interval">;
export const UsageIntervalId: IdKind<"usage interval"> = idKind("usage interval");
export type AccountId = Brand<string, "account">;
export const AccountId: IdKind<"account"> = idKind("account");
export type JournalId = Brand<string, "journal">;
export const JournalId: IdKind<"journal"> = idKind("journal");
export type PostingId = Brand<string, "posting">;
export const PostingId: IdKind<"posting"> = idKind("posting");
export type ChargeLineId = Brand<string, "charge line">;
export const ChargeLineId: IdKind<"charge line"> = idKind("charge line");
export type InvoiceId = Brand<string, "invoice">;
export const InvoiceId: IdKind<"invoice"> = idKind("invoice");
