/** The words behind an OpenSSH public key, which mostly say whose it is. */
export function keyComment(publicKey: string): string {
  const [, , ...words] = publicKey.trim().split(/\s+/);
  return words.join(" ").slice(0, 100);
}
