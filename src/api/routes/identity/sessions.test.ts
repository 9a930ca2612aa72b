/** Signing in with a browser: what lets one in, what the cookie may, and what ends it. */
import { expect, test } from "vitest";
import { z } from "zod";

import { sql } from "#db/sql.ts";
import { createTenant } from "#identity/tenants.ts";
import { testApi, type Answer } from "#test/api-server.ts";

const api = await testApi();
const { ask, operator, customer, clock } = api;
const admin = customer.administrator.secret;
const hourMs = 3_600_000;
const password = "correct horse battery";

const withId = z.object({ id: z.string() });
const link = z.object({ code: z.string(), path: z.string() });

/** As a page of this server asks. */
function page(cookie: string): { readonly headers: Record<string, string> } {
  return { headers: { cookie, "sec-fetch-site": "same-origin" } };
}

/** The cookie as a browser sends it back. */
function cookieOf(answer: Answer): string {
  expect(answer.status).toBe(201);
  return (answer.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
}

async function signIn(body: unknown): Promise<Answer> {
  return ask("POST", "/v1/sessions", { body });
}

async function sessionOf(secret: string): Promise<string> {
  return cookieOf(await signIn({ credential: secret }));
}

async function whoIs(cookie: string): Promise<Answer> {
  return ask("GET", "/v1/whoami", { headers: { cookie } });
}

const whole = z.looseObject({ action: z.string(), sessionId: z.string().nullable() });

async function audited(action: string): Promise<z.output<typeof whole>[]> {
  const { body } = await ask("GET", "/v1/audit?limit=200", { secret: admin });
  const { items } = z.object({ items: z.array(whole) }).parse(body);
  return items.filter((each) => each.action === action);
}

test("an API key makes a session that does what its user may, and says so in the audit log", async () => {
  const answer = await signIn({ credential: admin });
  expect(answer).toMatchObject({
    status: 201,
    body: { userId: customer.administrator.userId, madeBy: "key", scope: "all", current: true },
  });
  expect(answer.headers.get("set-cookie")).toMatch(
    /^millrace_session=mrs_[^;]+; HttpOnly; SameSite=Strict; Path=\/; Max-Age=604800$/,
  );
  expect(answer.text).not.toContain("mrs_");
  const cookie = cookieOf(answer);
  const { id } = withId.parse(answer.body);
  expect(await whoIs(cookie)).toMatchObject({
    status: 200,
    body: {
      tenant: { name: "customer", kind: "customer", timeZone: "Asia/Shanghai", state: "active" },
      user: { role: "domain_admin", hasPassword: false },
      key: { id: customer.administrator.id },
      session: { id, current: true },
      scope: "all",
      currency: "CNY",
    },
  });
  const made = await ask("POST", "/v1/projects", { ...page(cookie), body: { name: "by-page" } });
  expect(made.status).toBe(201);
  const [entry] = await audited("project.create");
  expect(entry).toMatchObject({ sessionId: id, keyId: customer.administrator.id, actor: "admin" });
  expect((await audited("session.create"))[0]).toMatchObject({
    target: id,
    details: { by: "key" },
  });
});

test("a change is refused unless a page of this server asks, and the refusal is audited", async () => {
  const cookie = await sessionOf(admin);
  const { host } = new URL(api.url);
  const from = (headers: Record<string, string>): Promise<Answer> =>
    ask("POST", "/v1/projects", { headers: { cookie, ...headers }, body: { name: "forged" } });
  const refused: Record<string, string>[] = [
    {},
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: `http://${host}1` },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site", origin: "http://127.0.0.1:1" },
    { "sec-fetch-site": "none" },
    // A proxy nobody told us of.
    { origin: "https://evil.example", "x-forwarded-host": "evil.example" },
  ];
  for (const headers of refused) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    expect({ ...(await from(headers)), asked: headers }).toMatchObject({
      asked: headers,
      status: 403,
      body: { code: "forbidden", details: { reason: "cross_site" } },
    });
  }
  expect((await audited("project.create"))[0]).toMatchObject({ outcome: "refused" });
  // Asking a price changes nothing, and is refused alike; reading is not.
  const quote = { headers: { cookie }, body: { flavor: "small" } };
  expect((await ask("POST", "/v1/quotes", quote)).status).not.toBe(200);
  expect((await whoIs(cookie)).status).toBe(200);
  expect((await from({ origin: `http://${host}` })).status).toBe(201);
});

test("a page of somebody else cannot sign a browser in either", async () => {
  const body = { credential: admin };
  const headers = { origin: "https://evil.example" };
  const answer = await ask("POST", "/v1/sessions", { body, headers });
  expect(answer).toMatchObject({ status: 403, body: { details: { reason: "cross_site" } } });
  expect(answer.headers.get("set-cookie")).toBeNull();
});

test("Authorization wins over the cookie; a session's secret counts as a cookie only", async () => {
  const cookie = await sessionOf(admin);
  const both = await ask("GET", "/v1/whoami", { secret: operator.secret, headers: { cookie } });
  expect(both.body).toMatchObject({ user: { role: "root" }, session: null });
  const wrong = { secret: `mrk_000000000000_${"A".repeat(43)}`, headers: { cookie } };
  expect((await ask("GET", "/v1/whoami", wrong)).status).toBe(401);
  const secret = cookie.split("=")[1] ?? "";
  expect((await ask("GET", "/v1/whoami", { secret })).status).toBe(401);
  expect((await whoIs(`a=b; ${cookie}; c=d`)).status).toBe(200);
  expect((await whoIs(`millrace_session=${admin}`)).status).toBe(401);
});

test("what is over is told apart: expired, ended, unknown, nothing", async () => {
  const unknown = await whoIs(`millrace_session=mrs_000000000000_${"A".repeat(43)}`);
  expect(unknown).toMatchObject({ status: 401, body: { details: { reason: "session_unknown" } } });
  const nothing = await ask("GET", "/v1/whoami");
  expect(nothing).toMatchObject({ status: 401, body: { details: { reason: "no_credential" } } });

  const cookie = await sessionOf(admin);
  const expired = { status: 401, body: { details: { reason: "session_expired" } } };
  const began = clock.now;
  try {
    // Used again and again it lives for seven days, but not for a moment longer.
    for (let hours = 10; hours < 7 * 24; hours += 10) {
      clock.now = began + hours * hourMs;
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await whoIs(cookie)).status).toBe(200);
    }
    clock.now = began + 7 * 24 * hourMs;
    expect(await whoIs(cookie)).toMatchObject(expired);
    clock.now = began;
    const idle = await sessionOf(admin);
    clock.now = began + 12 * hourMs;
    expect(await whoIs(idle)).toMatchObject(expired);
  } finally {
    clock.now = began;
  }
});

test("signing out ends it and takes the cookie away; others end from afar", async () => {
  const user = await api.keyOf("user");
  const [here, there] = [await sessionOf(user.secret), await sessionOf(user.secret)];
  const { body } = await ask("GET", "/v1/sessions", { headers: { cookie: here } });
  const items = z
    .array(withId.extend({ current: z.boolean() }))
    .parse(z.object({ items: z.unknown() }).parse(body).items);
  expect(items.map(({ current }) => current)).toEqual([true, false]);
  const [, other] = items;
  const stranger = await api.keyOf("user");
  const path = `/v1/sessions/${other?.id ?? ""}`;
  expect((await ask("DELETE", path, { secret: stranger.secret })).status).toBe(404);
  expect((await ask("DELETE", path, page(here))).status).toBe(204);
  expect(await whoIs(there)).toMatchObject({ body: { details: { reason: "session_ended" } } });

  const out = await ask("DELETE", "/v1/sessions/current", page(here));
  expect(out.status).toBe(204);
  expect(out.headers.get("set-cookie")).toMatch(/^millrace_session=; .*Max-Age=0$/);
  expect((await whoIs(here)).status).toBe(401);
  const byKey = await ask("DELETE", "/v1/sessions/current", { secret: user.secret });
  expect(byKey).toMatchObject({ status: 409, body: { code: "wrong_state" } });
});

test("a session ends with its key and with its user, and stays ended", async () => {
  const user = await api.keyOf("user");
  const byKey = await sessionOf(user.secret);
  expect((await ask("DELETE", `/v1/api-keys/${user.keyId}`, { secret: admin })).status).toBe(204);
  expect(await whoIs(byKey)).toMatchObject({ body: { details: { reason: "session_ended" } } });

  const other = await api.keyOf("user");
  const cookie = await sessionOf(other.secret);
  const change = (state: string): Promise<Answer> =>
    ask("PATCH", `/v1/users/${other.userId}`, { secret: admin, body: { state } });
  await change("disabled");
  expect(await whoIs(cookie)).toMatchObject({ body: { details: { reason: "session_ended" } } });
  await change("active");
  expect((await whoIs(cookie)).status).toBe(401);
});

test("a reading key makes a reading session, which can sign out; a meter's key makes none", async () => {
  const body = { name: "reads", scope: "read" };
  const key = z
    .object({ secret: z.string() })
    .parse((await ask("POST", "/v1/api-keys", { secret: admin, body })).body);
  const cookie = await sessionOf(key.secret);
  const refused = await ask("POST", "/v1/projects", { ...page(cookie), body: { name: "p" } });
  expect(refused).toMatchObject({ status: 403, body: { details: { scope: "read" } } });
  const set = await ask("PUT", "/v1/password", { ...page(cookie), body: { password } });
  expect(set).toMatchObject({ status: 403, body: { details: { scope: "read" } } });
  // A link carries no more than what it was asked with.
  const { code } = link.parse((await ask("POST", "/v1/sign-in-codes", page(cookie))).body);
  expect(await signIn({ code })).toMatchObject({ status: 201, body: { scope: "read" } });
  expect((await ask("DELETE", "/v1/sessions/current", page(cookie))).status).toBe(204);

  const meter = { name: "meter", scope: "usage.write" };
  const made = await ask("POST", "/v1/api-keys", { secret: operator.secret, body: meter });
  const { secret } = z.object({ secret: z.string() }).parse(made.body);
  expect((await signIn({ credential: secret })).status).toBe(403);
});

test("a user of a suspended tenant can sign in, look, and sign out", async () => {
  const { now } = clock;
  const opened = await api.db.transaction((tx) => createTenant(tx, { name: "owes", now }));
  const path = `/v1/tenants/${opened.tenant.id}`;
  await ask("PATCH", path, { secret: operator.secret, body: { state: "suspended" } });
  const cookie = await sessionOf(opened.administrator.secret);
  expect((await whoIs(cookie)).body).toMatchObject({ tenant: { state: "suspended" } });
  expect((await ask("DELETE", "/v1/sessions/current", page(cookie))).status).toBe(204);
});

test("a link works once and for five minutes", async () => {
  const { code, path } = link.parse(
    (await ask("POST", "/v1/sign-in-codes", { secret: admin })).body,
  );
  expect(path).toBe(`/sign-in#code=${code}`);
  const answers = await Promise.all([signIn({ code }), signIn({ code })]);
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 401]);
  const late = link.parse((await ask("POST", "/v1/sign-in-codes", { secret: admin })).body);
  const began = clock.now;
  clock.now = began + 5 * 60_000;
  const answer = await signIn({ code: late.code });
  clock.now = began;
  expect(answer).toMatchObject({ status: 401, body: { details: { reason: "code_unknown" } } });
});

test("an invited user sets a password and signs in with it; nobody learns who has one", async () => {
  const user = { name: "Li Lei", role: "user" };
  const { id } = withId.parse((await ask("POST", "/v1/users", { secret: admin, body: user })).body);
  const invite = (body: unknown): Promise<Answer> =>
    ask("POST", `/v1/users/${id}/invitations`, { secret: admin, body });
  expect((await invite({})).status).toBe(400);
  const first = link.parse((await invite({ email: "Li.Lei@Example.org " })).body);
  const second = link.parse((await invite({})).body);
  const accept = (code: string): Promise<Answer> =>
    ask("POST", "/v1/invitations/accept", { body: { code, password } });
  expect((await accept(first.code)).status).toBe(401);
  const accepted = await accept(second.code);
  expect(accepted).toMatchObject({ status: 201, body: { userId: id, madeBy: "invitation" } });
  expect((await accept(second.code)).status).toBe(401);

  const email = "li.lei@example.org";
  const right = await signIn({ email: "LI.LEI@example.org", password });
  expect(right).toMatchObject({ status: 201, body: { userId: id, madeBy: "password" } });
  const [wrong, nobody] = [
    await signIn({ email, password: "wrong" }),
    await signIn({ email: "nobody@example.org", password: "wrong" }),
  ];
  expect([wrong.status, nobody.status]).toEqual([401, 401]);
  expect(z.looseObject({ detail: z.string() }).parse(wrong.body).detail).toBe(
    z.looseObject({ detail: z.string() }).parse(nobody.body).detail,
  );
  expect((await audited("session.create"))[0]).toMatchObject({
    outcome: "refused",
    actor: "Li Lei",
    details: { by: "password" },
  });

  // A new password needs the current one, and ends the other sessions.
  const cookie = cookieOf(right);
  const next = "quite another one";
  const set = (body: unknown): Promise<Answer> =>
    ask("PUT", "/v1/password", { ...page(cookie), body });
  expect(await set({ password: next })).toMatchObject({
    status: 403,
    body: { details: { reason: "current_password" } },
  });
  expect((await set({ password: "short", currentPassword: password })).status).toBe(400);
  expect((await set({ password: next, currentPassword: password })).status).toBe(204);
  expect((await whoIs(cookie)).status).toBe(200);
  expect((await whoIs(cookieOf(accepted))).status).toBe(401);
  expect((await signIn({ email, password })).status).toBe(401);
  expect((await signIn({ email, password: next })).status).toBe(201);

  // The address is one person's.
  const taken = await ask("PUT", "/v1/password", { secret: admin, body: { password, email } });
  expect(taken).toMatchObject({ status: 409, body: { code: "conflict" } });
  const stored = await api.db.rows(
    sql`select hash from user_password`,
    z.object({ hash: z.string() }),
  );
  expect(stored.every(({ hash }) => hash.startsWith("scrypt$15$8$3$"))).toBe(true);
});

test("guessing at one account is throttled, and then even the right password waits", async () => {
  const user = await api.keyOf("user");
  const email = "guessed@example.org";
  const own = { secret: user.secret, body: { email, password } };
  expect((await ask("PUT", "/v1/password", own)).status).toBe(204);
  const statuses: number[] = [];
  for (let count = 0; count < 12; count += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    statuses.push((await signIn({ email, password: "wrong" })).status);
  }
  expect(statuses.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 401));
  expect(statuses.at(-1)).toBe(429);
  const right = await signIn({ email, password });
  expect(right.status).toBe(429);
  expect(Number(right.headers.get("retry-after"))).toBeGreaterThan(1);
  // A link still works.
  const made = await ask("POST", "/v1/sign-in-codes", { secret: user.secret });
  expect((await signIn({ code: link.parse(made.body).code })).status).toBe(201);
});
