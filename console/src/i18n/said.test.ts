/** The server's sentences in Chinese: none of our tables is about a sentence that it does not say. */
import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

import { sayer } from "./said.ts";
import { partsOfOthers } from "./zh-CN/said/parts.ts";
import { said } from "./zh-CN/said/index.ts";

const say = sayer(said);

const sources = globSync("src/**/*.ts")
  .filter((file) => !file.endsWith(".test.ts"))
  .map((file) => readFileSync(file, "utf8").replaceAll('\\"', '"'));

test("every English sentence is one of the server's", () => {
  const strange = said
    .flat()
    .map(([english]) => english)
    .filter((english) => !partsOfOthers.test(english))
    .filter((english) => {
      const pieces = english
        .split(/\{\*?[a-zA-Z]+\}/)
        .map((piece) => piece.replaceAll(/^[^a-zA-Z]+|[^a-zA-Z]+$/g, ""))
        .filter((piece) => piece.length > 2);
      return !sources.some((source) => hasInOrder(source, pieces));
    });
  expect(strange).toEqual([]);
});

/** What stands between the values, one after the other and near. */
function hasInOrder(source: string, pieces: readonly string[]): boolean {
  const [first = "", ...rest] = pieces;
  for (let at = source.indexOf(first); at >= 0; at = source.indexOf(first, at + 1)) {
    let from = at + first.length;
    const isNear = rest.every((piece) => {
      const next = source.indexOf(piece, from);
      const near = next >= 0 && next - from < 300;
      from = next + piece.length;
      return near;
    });
    if (isNear) return true;
  }
  return false;
}

function names(text: string): string[] {
  return [...text.matchAll(/\{\*?([a-zA-Z]+)\}/g)].map((match) => match[1] ?? "");
}

test("values of both sides are the same, and no sentence stands twice", () => {
  const wrong = said.flat().filter(([english, ours]) => {
    const known = names(english);
    return names(ours).some((name) => !known.includes(name));
  });
  expect(wrong).toEqual([]);
  const english = said.flat().map(([sentence]) => sentence);
  expect(english.filter((each, index) => english.indexOf(each) !== index)).toEqual([]);
});

test("values are kept, lists are told part by part, several sentences one by one", () => {
  expect(
    say(
      "Over quota: vcpus 60 used + 8 asked > 64. Release something, or ask the operator for more.",
    ),
  ).toBe("超出配额：vCPU 已用 60，申请 8，上限 64。请释放部分资源，或申请提高配额。");
  expect(
    say(
      "No host fits 8 vCPU, 32768 MiB, 200 GiB disk, 1 x A10: of 1 host, GPUs are taken on 1. The nearest lacks 1 GPU.",
    ),
  ).toBe(
    "没有主机能满足 8 vCPU、32768 MiB、200 GiB 磁盘、1 x A10：共 1 台主机，1 台 GPU 已占用。最接近的一台还差 1 GPU。",
  );
});

test("what a project still holds is told with its numbers", () => {
  expect(say("The project still holds 1 job; remove it first.")).toBe(
    "项目中还有 1 个作业，请先移除。",
  );
  expect(say("The project still holds 2 leases, 1 job; remove them first.")).toBe(
    "项目中还有 2 个租用、1 个作业，请先移除。",
  );
});

test("what the cluster's queue did is told sentence by sentence, its own words kept", () => {
  expect(
    say("The platform took attempt 2 off. It made room for other work. What ran is billed."),
  ).toBe("平台终止了第 2 次运行。已为其他工作让出资源。已运行的部分照常计费。");
  expect(
    say(
      "It made room for work of a higher priority (pod x). Its next attempt goes on from what it had saved.",
    ),
  ).toBe("已为优先级更高的工作让出资源（pod x）。下次运行从保存的进度继续。");
});

test("what a person wrote stays as it is, also when it looks like a place for a value", () => {
  expect(say('There is a user "{name} <b>$&</b> 李" already.')).toBe(
    "已有名为“{name} <b>$&</b> 李”的成员。",
  );
});

test("what is not known is left to English, also when a part of it is known", () => {
  expect(say("Something new happened.")).toBeUndefined();
  expect(say("There is no such lease. Something new happened.")).toBeUndefined();
  expect(say("x".repeat(100_000))).toBeUndefined();
});

test("a part with a comma in it is told as the one sentence that it is", () => {
  expect(
    say(
      "A snapshot of web cannot hold its memory: KubeVirt's snapshots hold disks, not memory. Take one of the disk alone.",
    ),
  ).toBe("web 的快照无法包含内存：KubeVirt 的快照只保存磁盘，不保存内存。请只做磁盘快照。");
});
