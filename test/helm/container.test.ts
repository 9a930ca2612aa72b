/** What can be said of the images where there is no engine for containers: what their files tell to do. */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { describe, expect, test } from "vitest";
import { z } from "zod";

import { fetchScript, reportScript } from "#providers/kubevirt/jobs/entry.ts";

import { map, readValues } from "./chart.ts";

const root = resolve(import.meta.dirname, "../..");
const text = readFileSync(join(root, "deploy/container/Containerfile"), "utf8");
const lines = text
  .replaceAll("\\\n", " ")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map((line) => line.split(/\s+/));
const stages = lines.filter(([word]) => word === "FROM");
const last = lines.slice(lines.findLastIndex(([word]) => word === "FROM"));

function within(source: string, folder: string): boolean {
  return source === folder || source.startsWith(`${folder}/`);
}

test("it is built on Debian, by the Node of which the program runs the same line", () => {
  expect(stages.map(([, base = ""]) => base.split("/").at(-1))).toEqual([
    "node:24-bookworm-slim",
    "debian:12-slim",
  ]);
  const packages = map(JSON.parse(readFileSync(join(root, "package.json"), "utf8")));
  expect(map(packages["dependencies"])["node"]).toMatch(/^24\./);
});

test("all that is copied is there, and goes to the builder", () => {
  const ignored = readFileSync(join(root, "deploy/container/Containerfile.dockerignore"), "utf8");
  const sent = ignored
    .split("\n")
    .filter((line) => line.startsWith("!"))
    .map((line) => line.slice(1));
  const copied = lines
    .filter(([word, ...rest]) => word === "COPY" && !rest.some((each) => each.startsWith("--from")))
    .flatMap(([, ...rest]) => rest.filter((each) => !each.startsWith("--")).slice(0, -1));
  expect(copied.length).toBeGreaterThan(5);
  expect([...copied, ...sent].filter((source) => !existsSync(join(root, source)))).toEqual([]);
  expect(copied.filter((source) => !sent.some((each) => within(source, each)))).toEqual([]);
  expect(sent.filter((source) => !copied.some((each) => within(each, source)))).toEqual([]);
});

test("it runs as the account that the chart expects, and not as root", () => {
  const [[, user = ""] = []] = last.filter(([word]) => word === "USER");
  expect(user).toBe("10001:10001");
  expect(readValues("values.yaml")["podSecurityContext"]).toMatchObject({
    runAsUser: 10_001,
    runAsGroup: 10_001,
    runAsNonRoot: true,
  });
});

test("nothing that compiles comes with it", () => {
  const installed = last.map((words) => words.join(" ")).join("\n");
  expect(installed).not.toMatch(/build-essential|gcc|make|npm|curl/);
  expect(text).toContain("npm prune --omit=dev");
});

describe("the image beside customers' jobs", () => {
  const file = readFileSync(join(root, "deploy/container/agent.Containerfile"), "utf8");
  const words = (name: string): string[] =>
    file
      .replaceAll("\\\n", " ")
      .split("\n")
      .filter((line) => line.startsWith(`${name} `))
      .map((line) => line.slice(name.length + 1));

  test("its base can be pinned to a digest, and nothing of the clone goes into it", () => {
    const [base = ""] = words("ARG");
    expect(base).toBe("BASE=docker.io/library/debian:12-slim");
    expect(words("FROM")).toEqual(["${BASE}"]);
    expect([...words("COPY"), ...words("ADD")]).toEqual([]);
    const ignored = join(root, "deploy/container/agent.Containerfile.dockerignore");
    expect(readFileSync(ignored, "utf8").split("\n")).toContain("*");
  });

  test("it is not root, and has what the scripts call", () => {
    expect(words("USER")).toEqual(["10001:10001"]);
    const [run = ""] = words("RUN");
    expect(run).toMatch(/apt-get install .*busybox-static ca-certificates curl/);
    const [, looked = ""] = /for tool in ([a-z ]+);/.exec(run) ?? [];
    // Of what they call, what is not of the shell itself, nor of its base in every case.
    const asked = ["curl", "tar", "dd", "stat", "head", "cut", "readlink", "busybox"];
    const scripts = `${fetchScript}\n${reportScript}`;
    expect(asked.filter((tool) => !scripts.includes(`${tool} `))).toEqual([]);
    expect(looked.split(" ").toSorted()).toEqual(asked.toSorted());
  });
});

const nodeOptions = z.object({ server: z.array(z.string()), work: z.array(z.string()) });

test("it is started as npm start starts the program", () => {
  const options = map(JSON.parse(readFileSync(join(root, "bin/setup/node-options.json"), "utf8")));
  const script = readFileSync(join(root, "deploy/container/millrace-server"), "utf8");
  const { server, work } = nodeOptions.parse(options);
  expect(script).toContain(`node ${server.join(" ")} $work /app/dist/main.js`);
  expect(script).toContain(`work=${work.join(" ")} ;;`);
  expect(text).toContain('ENTRYPOINT ["millrace-server"]');
});
