/** Which way into a machine keeps the address of who comes. */
import { expect, test } from "vitest";

import { keepsSource } from "./endpoints.ts";

const office = ["198.51.100.0/24"];

function keeps(
  sshService: "ClusterIP" | "NodePort" | "LoadBalancer",
  more: Partial<Parameters<typeof keepsSource>[0]> = {},
): boolean {
  return keepsSource({ sshService, sshHost: undefined, sshFrom: office, ...more });
}

test("I-VM-03: the sender's address stays where sshFrom judges it, and the way is to the machine's own node", () => {
  expect(keeps("LoadBalancer")).toBe(true);
  expect(keeps("NodePort")).toBe(true);
  // Whichever node that is, it may not be the machine's.
  expect(keeps("NodePort", { sshHost: "ssh.example.test" })).toBe(false);
  // Within the cluster nothing is rewritten.
  expect(keeps("ClusterIP")).toBe(false);
  for (const sshFrom of [[], ["0.0.0.0/0"], [...office, "::/0"]]) {
    expect(keeps("NodePort", { sshFrom })).toBe(false);
  }
});
