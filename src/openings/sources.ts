/**
 * From where a port is open, as Kubernetes and the database write it: a network without bits of a host, in
 * the shortest spelling. Pure. What is meant must be certain: `10.0.0.5/8` is not made `10.0.0.0/8` in
 * silence, because it may have been meant as one address.
 */
import ipaddr from "ipaddr.js";
import { z } from "zod";

import { Failure } from "#kernel/failure.ts";

const cidr = z.union([z.cidrv4(), z.cidrv6()]);

/** Each once, in the order in which they came. Throws `rule_violation`. */
export function sourcesOf(asked: readonly string[]): readonly string[] {
  return [...new Set(asked.map(networkOf))];
}

function networkOf(asked: string): string {
  const text = asked.trim();
  if (!cidr.safeParse(text).success) {
    const isAddress = z.union([z.ipv4(), z.ipv6()]).safeParse(text).success;
    const advice = isAddress
      ? `For that address alone write ${text}/${text.includes(":") ? 128 : 32}.`
      : "Write a network such as 203.0.113.0/24 or 2001:db8::/32.";
    throw refused(asked, `${JSON.stringify(asked)} is no network. ${advice}`);
  }
  const [address, bits] = ipaddr.parseCIDR(text);
  if (address instanceof ipaddr.IPv6) {
    if (address.isIPv4MappedAddress()) {
      throw refused(asked, `${asked} is an IPv4 address in the form of IPv6; write it as IPv4.`);
    }
    const network = ipaddr.IPv6.networkAddressFromCIDR(text).toRFC5952String();
    return whole({ asked, address: address.toRFC5952String(), network, bits, bitsMax: 128 });
  }
  const network = ipaddr.IPv4.networkAddressFromCIDR(text).toString();
  return whole({ asked, address: address.toString(), network, bits, bitsMax: 32 });
}

function whole(of: {
  readonly asked: string;
  readonly address: string;
  readonly network: string;
  readonly bits: number;
  readonly bitsMax: number;
}): string {
  const { asked, address, network, bits, bitsMax } = of;
  if (address === network) return `${network}/${bits}`;
  throw refused(
    asked,
    `${asked} is an address within a network. Write ${network}/${bits} for the network, or ${address}/${bitsMax} for the address alone.`,
  );
}

function refused(source: string, message: string): Failure {
  return new Failure("rule_violation", message, { details: { source } });
}
