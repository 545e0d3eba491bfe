/** Says why a server could not start, and what to type instead. */

/** How the address is chosen on the command line. */
export interface ListenWords {
  readonly host: string;
  readonly port: number;
  /** What to type for another port, or another host. */
  readonly withPort: (port: number) => string;
  readonly withHost: (host: string) => string;
}

/**
 * Explains the system's error.
 *
 * @returns a line, or two, without a line feed at the end
 */
export function explainListenFailure(error: unknown, { host, port, withPort, withHost }: ListenWords): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const tryPort = (other: number): string => `\nTry another one: ${withPort(other)} (0 takes any free port).`;
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} of ${host} is taken by another program.${tryPort(port < 65_535 ? port + 1 : 0)}`;
    case 'EACCES':
      return `port ${port} of ${host} needs rights that you do not have here.${tryPort(8080)}`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `this machine has no address ${host}.\nTry ${withHost('127.0.0.1')}, or 0.0.0.0 for all that it has.`;
    default:
      return `the server could not start: ${message}`;
  }
}
