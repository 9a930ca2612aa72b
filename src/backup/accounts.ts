/** Names of accounts for numbers and back: the numbers differ between machines, the names do not. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);
const known = new Map<string, Promise<string[] | undefined>>();

async function lookUp(database: "passwd" | "group", key: string): Promise<string[] | undefined> {
  const id = `${database} ${key}`;
  const asking =
    known.get(id) ??
    run("getent", [database, key]).then(
      ({ stdout }) => stdout.trim().split(":"),
      () => undefined,
    );
  known.set(id, asking);
  return asking;
}

export async function accountNames(
  uid: number,
  gid: number,
): Promise<{ user: string; group: string }> {
  const [user, group] = await Promise.all([
    lookUp("passwd", String(uid)),
    lookUp("group", String(gid)),
  ]);
  return { user: user?.[0] ?? "", group: group?.[0] ?? "" };
}

/** `undefined` for a name that this machine does not know. */
export async function accountIds(
  user: string,
  group: string,
): Promise<{ uid: number; gid: number } | undefined> {
  if (user === "") return undefined;
  const [passwd, groupLine] = await Promise.all([lookUp("passwd", user), lookUp("group", group)]);
  if (passwd === undefined) return undefined;
  return { uid: Number(passwd[2]), gid: Number(groupLine?.[2] ?? passwd[3]) };
}
