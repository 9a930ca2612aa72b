import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import pg from "pg";
import { afterAll, beforeEach, expect, test } from "vitest";

import { emptyDatabase } from "#test/database.ts";

import { migrate } from "./migrate.ts";

let directory: string;
let url: string;
const directories: string[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "millrace-migrate-"));
  directories.push(directory);
  url = await emptyDatabase();
  await write("0010.do.first.sql", "create table first (id int); create table mark (n int)");
  await write("0030.do.third.sql", "create table third (id int)");
});
afterAll(async () => {
  for (const each of directories) await rm(each, { recursive: true });
});

const write = (file: string, text: string): Promise<void> => writeFile(join(directory, file), text);

async function ask(query: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(query)).rows;
  } finally {
    await client.end();
  }
}

test("each file is applied once, in the order of the numbers", async () => {
  const all = ["0010.do.first.sql", "0030.do.third.sql"];
  expect(await migrate(url, directory)).toEqual({ applied: all });
  expect(await migrate(url, directory)).toEqual({ applied: [] });
});

test("a file whose number is lower than what was applied is applied all the same", async () => {
  await migrate(url, directory);
  await write("0020.do.second.sql", "create table second (id int)");
  await write("0040.do.fourth.sql", "create table fourth (id int)");
  const missing = ["0020.do.second.sql", "0040.do.fourth.sql"];
  expect(await migrate(url, directory)).toEqual({ applied: missing });
  expect(await ask("select from second, fourth")).toEqual([]);
});

test("a file that fails leaves nothing, is named, and is tried again", async () => {
  await write("0020.do.second.sql", "insert into mark values (1); select 1 / 0");
  await expect(migrate(url, directory)).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringMatching(/0020\.do\.second\.sql: division by zero/),
  });
  expect(await ask("select from mark")).toEqual([]);
  await write("0020.do.second.sql", "insert into mark values (1)");
  const { applied } = await migrate(url, directory);
  expect(applied).toEqual(["0020.do.second.sql", "0030.do.third.sql"]);
});

test("what was applied is never edited, and an older program leaves a newer database alone", async () => {
  await migrate(url, directory);
  await write("0010.do.first.sql", "create table other (id int)");
  await expect(migrate(url, directory)).rejects.toThrow("0010.do.first.sql was applied with other");
  await rm(join(directory, "0010.do.first.sql"));
  await expect(migrate(url, directory)).rejects.toThrow("a newer version of the program");
});

test("two processes at once apply each file once", async () => {
  const both = await Promise.all([migrate(url, directory), migrate(url, directory)]);
  expect(both.map(({ applied }) => applied.length).toSorted((a, b) => a - b)).toEqual([0, 2]);
});
