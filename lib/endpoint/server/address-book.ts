/**
 * Counts who is there, by address.
 *
 * Whoever has an IPv6 address has a whole /64 of them (RFC 4291 §2.5.4, RFC 6177), so those count as one. Who has no
 * address, such as a peer on a Unix socket, is not counted.
 */

export class AddressBook {
  readonly #maxPerAddress: number;
  readonly #counts: Map<string, number> = new Map();

  private constructor(maxPerAddress: number) {
    this.#maxPerAddress = maxPerAddress;
  }

  /** Makes one where there is a limit. */
  static create(maxPerAddress: number): AddressBook | undefined {
    return maxPerAddress === Number.POSITIVE_INFINITY ? undefined : new AddressBook(maxPerAddress);
  }

  /** How many addresses are in it. */
  get size(): number {
    return this.#counts.size;
  }

  enter(address: string | undefined): void {
    if (address === undefined) return;
    const network = networkOf(address);
    this.#counts.set(network, (this.#counts.get(network) ?? 0) + 1);
  }

  leave(address: string | undefined): void {
    if (address === undefined) return;
    const network = networkOf(address);
    const count = (this.#counts.get(network) ?? 0) - 1;
    if (count > 0) this.#counts.set(network, count);
    else this.#counts.delete(network);
  }

  /** Whether more than allowed have entered with this address. */
  isCrowded(address: string | undefined): boolean {
    return address !== undefined && (this.#counts.get(networkOf(address)) ?? 0) > this.#maxPerAddress;
  }
}

const IPV4_IN_IPV6 = '::ffff:';

/** Gives what counts as one peer: an IPv4 address, or the first 64 bits of an IPv6 address as `2001:db8:0:1`. */
export function networkOf(address: string): string {
  const mapped = address.toLowerCase().startsWith(IPV4_IN_IPV6) && address.includes('.');
  const plain = mapped ? address.slice(IPV4_IN_IPV6.length) : address;
  if (!plain.includes(':')) return plain;
  const [before = '', after] = plain.split('%', 1)[0]!.split('::');
  const head = before === '' ? [] : before.split(':');
  if (after !== undefined) {
    const tail = after === '' ? [] : after.split(':');
    while (head.length + tail.length < 8) head.push('0');
    head.push(...tail);
  }
  return head
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
