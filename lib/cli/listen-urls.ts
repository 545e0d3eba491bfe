/** The addresses under which people find a server. */
import type { AddressInfo } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';

const EVERYWHERE: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/**
 * Lists the addresses under which a server is found. One that listens everywhere is found at this machine's own
 * addresses; "0.0.0.0" itself leads nowhere.
 *
 * @param scheme what the addresses begin with: `http`, `ws` or `tcp`
 * @returns never an empty list
 */
export function listUrls(
  scheme: 'http' | 'ws' | 'tcp',
  host: string,
  { address, family, port }: AddressInfo,
  interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>,
): string[] {
  if (!EVERYWHERE.has(address)) return [formatUrl(scheme, host, port)];
  const reachable = Object.values(interfaces)
    .flatMap((infos) => infos ?? [])
    // A link-local IPv6 address needs the name of an interface behind it, which no browser takes.
    .filter(
      (info) => !info.internal && (info.family === 'IPv4' || (family === 'IPv6' && !info.address.startsWith('fe80:'))),
    );
  return ['localhost', ...reachable.map((info) => info.address)].map((name) => formatUrl(scheme, name, port));
}

function formatUrl(scheme: 'http' | 'ws' | 'tcp', host: string, port: number): string {
  const name = host.includes(':') ? `[${host}]` : host;
  if (scheme === 'tcp') return `tcp://${name}:${port}`;
  return `${scheme}://${name}${port === 80 ? '' : `:${port}`}/`;
}
