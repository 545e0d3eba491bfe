/** Says why a connection could not be made, and what can be done about it. */
import { HandshakeError } from '../errors.ts';
import { printable, printableLine } from './printable.ts';

/** Answers of servers that fill a screen help nobody. */
const MAX_BODY_CHARACTERS = 400;

const HINTS: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'nobody listens there'],
  ['ENOTFOUND', 'there is no such host'],
  ['EAI_AGAIN', 'the name of the host could not be looked up'],
  ['EHOSTUNREACH', 'there is no way to that host'],
  ['ENETUNREACH', 'there is no way to that network'],
  ['ETIMEDOUT', 'the host does not answer'],
  ['ECONNRESET', 'the server hung up before it answered'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'the certificate is for another name; --servername says which one is expected'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'the certificate is signed by itself; --ca FILE trusts it'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'the certificate is signed by somebody unknown; --ca FILE trusts them'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'the certificate is signed by somebody unknown; --ca FILE trusts them'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'the certificate is signed by somebody unknown; --ca FILE trusts them'],
  ['CERT_HAS_EXPIRED', 'the certificate has expired'],
  ['EPROTO', 'TLS could not be agreed on; a server without TLS is ws://, not wss://'],
]);

/**
 * Explains an error of `connect`, or of a file that it needs.
 *
 * @returns lines without a line feed at the end
 */
export function explainDialFailure(error: unknown, url: string): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const address = withoutPassword(url);
  if (error instanceof HandshakeError) return `no connection to ${address}: ${explainHandshake(error)}`;
  const hint = HINTS.get(code ?? '');
  // The system's errors of several addresses have an empty message of their own.
  return `no connection to ${address}: ${hint === undefined ? printableLine(message || String(code)) : `${hint} (${code})`}`;
}

function explainHandshake({ code, message, status, body }: HandshakeError): string {
  const hint = code === 'WS_ERR_REDIRECT' ? '; --max-redirects N follows' : '';
  const text = typeof body === 'string' ? body.trim().slice(0, MAX_BODY_CHARACTERS) : '';
  const said = text === '' || /^\s*</.test(text) ? '' : `\n${printable(text)}`;
  const challenge = status === 401 ? ' (who are you? --user name:password, or --header)' : '';
  return `${printableLine(message)}${challenge}${hint}${said}`;
}

/** What is printed may be logged. */
function withoutPassword(url: string): string {
  const { username, password } = new URL(url);
  return username === '' && password === '' ? url : url.replace(/\/\/[^/]*@/, '//***@');
}
