import { z } from "zod";

import { displayName, dnsName, id, timestamp } from "./common.ts";
import { emailAddress, session } from "./sessions.ts";

export const role = z.enum(["root", "domain_admin", "user", "billing", "viewer"]);

export const tenant = z.object({
  id,
  name: dnsName,
  displayName: z.string(),
  timeZone: z.string(),
  state: z.enum(["active", "suspended"]),
  /** `core`: rents core flavors alone, and his projects are strict on every cluster. */
  serviceClass: z.enum(["standard", "core"]),
  createdAt: timestamp,
});

export const createTenantBody = z.strictObject({
  name: dnsName,
  displayName: displayName.optional(),
  /** IANA zone of days and months on bills; frozen at the first charge (R-DAY-2). */
  timeZone: z.string().max(64).optional(),
});

export const updateTenantBody = z.strictObject({
  displayName: displayName.optional(),
  state: z.enum(["active", "suspended"]).optional(),
  serviceClass: z.enum(["standard", "core"]).optional(),
});

export const project = z.object({ id, name: dnsName, createdAt: timestamp });
export const createProjectBody = z.strictObject({ name: dnsName });

export const user = z.object({
  id,
  name: z.string(),
  /** With which he signs in, where he has a password or is to have one. */
  email: z.string().nullable(),
  role,
  state: z.enum(["active", "disabled"]),
  createdAt: timestamp,
});
export const createUserBody = z.strictObject({
  name: displayName,
  role,
  email: emailAddress.optional(),
});
export const updateUserBody = z.strictObject({
  role: role.optional(),
  state: z.enum(["active", "disabled"]).optional(),
});

/** A key may do less than its user, never more; `usage.write` hands in usage and does nothing else. */
export const keyScope = z.enum(["all", "read", "usage.write"]);
export type KeyScope = z.output<typeof keyScope>;

export const apiKey = z.object({
  id,
  name: z.string(),
  userId: id,
  scope: keyScope,
  /** The first characters, by which a person recognizes it. */
  prefix: z.string(),
  createdAt: timestamp,
  expiresAt: timestamp.nullable(),
  lastUsedAt: timestamp.nullable(),
});

export const createApiKeyBody = z.strictObject({
  name: displayName,
  /** Whose key; the caller's own when left out. */
  userId: id.optional(),
  scope: keyScope.default("all"),
  expiresInDays: z.number().int().min(1).max(3650).optional(),
});

/** The only answer that ever carries the secret. */
export const createdApiKey = apiKey.extend({ secret: z.string() });

export const sshKey = z.object({
  id,
  name: z.string(),
  publicKey: z.string(),
  fingerprint: z.string(),
  createdAt: timestamp,
});

export const createSshKeyBody = z.strictObject({
  name: displayName,
  publicKey: z
    .string()
    .trim()
    .max(8192)
    .regex(
      /^(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)|sk-ssh-ed25519@openssh\.com) [A-Za-z0-9+/]+={0,3}(?: [^\n\r]*)?$/,
      "one line of an OpenSSH public key file, such as ~/.ssh/id_ed25519.pub",
    ),
});

export const whoami = z.object({
  tenant: z.object({
    id,
    name: z.string(),
    displayName: z.string(),
    /** `operator` for the installation's own. */
    kind: z.enum(["operator", "customer"]),
    timeZone: z.string(),
    state: z.enum(["active", "suspended"]),
  }),
  user: z.object({
    id,
    name: z.string(),
    role,
    email: z.string().nullable(),
    hasPassword: z.boolean(),
  }),
  /** What the credential may do of what the role may. */
  scope: keyScope,
  /** The API key, also where a session was made of it. */
  key: z.object({ id, scope: keyScope, expiresAt: timestamp.nullable() }).nullable(),
  /** For one who came with a session. */
  session: session.nullable(),
  permissions: z.array(z.string()),
  /** ISO 4217, of all amounts. */
  currency: z.string(),
});
