/** Signing in with a browser: sessions, one-time codes, passwords, invitations. */
import { z } from "zod";

import { id, timestamp } from "./common.ts";

/** The cookie that carries a session's secret. */
export const sessionCookie = "millrace_session";

export const sessionMaker = z.enum(["key", "code", "password", "invitation"]);
export const sessionScope = z.enum(["all", "read"]);

export const session = z.object({
  id,
  userId: id,
  /** The API key that it was made of, with which it ends. */
  keyId: id.nullable(),
  madeBy: sessionMaker,
  scope: sessionScope,
  createdAt: timestamp,
  lastSeenAt: timestamp,
  /** At the latest. */
  expiresAt: timestamp,
  /** Unless it is used before; never after `expiresAt`. */
  idleExpiresAt: timestamp,
  userAgent: z.string(),
  address: z.string(),
  /** Whether this request came with it. */
  current: z.boolean(),
});

/** In small letters, whatever was typed. */
export const emailAddress = z
  .string()
  .trim()
  .toLowerCase()
  .max(254)
  .regex(
    /^[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9](?:[a-z0-9.-]{0,180}[a-z0-9])?$/,
    "an e-mail address such as li@example.org",
  );

export const passwordCharactersMin = 12;
/** Any characters; length is what makes it hard to guess. */
export const newPassword = z.string().min(passwordCharactersMin).max(200);

const code = z.string().regex(/^mrc_[A-Za-z0-9_-]{43}$/, "a code out of a link");

export const createSessionBody = z.union([
  z.strictObject({ credential: z.string().min(1).max(200) }),
  z.strictObject({ code }),
  z.strictObject({ email: emailAddress, password: z.string().min(1).max(200) }),
]);

/** The page opens `path` of the server; the code in it works once. */
export const signInCode = z.object({
  code: z.string(),
  path: z.string(),
  expiresAt: timestamp,
});

export const setPasswordBody = z.strictObject({
  password: newPassword,
  /** Needed when there is one. */
  currentPassword: z.string().max(200).optional(),
  /** Needed when the user has none. */
  email: emailAddress.optional(),
});

export const inviteUserBody = z.strictObject({
  /** Needed when the user has none. */
  email: emailAddress.optional(),
});

export const invitation = signInCode.extend({ email: z.string() });

export const acceptInvitationBody = z.strictObject({ code, password: newPassword });
