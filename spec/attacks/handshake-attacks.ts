/**
 * Attacks that are an HTTP request, or an HTTP response: what is sent, and how it is answered. Data only: the specs of
 * this folder and the process without listeners (spec/fuzz) both run it.
 */

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const PROTOTYPE = Object.getOwnPropertyNames(Object.prototype);

export interface RequestAttack {
  readonly name: string;
  /** The status of the answer. */
  readonly status: number;
  readonly request: Buffer;
}

interface Parts {
  readonly line?: string | undefined;
  /** A field given as `undefined` is left out. */
  readonly fields?: Readonly<Record<string, string | undefined>> | undefined;
  /** Lines that stand before all others, and behind them. */
  readonly before?: string | undefined;
  readonly behind?: string | undefined;
}

/** Writes a request in Latin-1: a correct one, but for what is said. */
export function formatAttack({ line = 'GET / HTTP/1.1', fields, before = '', behind = '' }: Parts = {}): Buffer {
  const all = {
    Host: 'localhost',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': KEY,
    'Sec-WebSocket-Version': '13',
    ...fields,
  };
  const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}\r\n`]));
  return Buffer.from(`${line}\r\n${before}${lines.join('')}${behind}\r\n`, 'latin1');
}

const attack = (name: string, status: number, parts: Parts): RequestAttack => ({
  name,
  status,
  request: formatAttack(parts),
});

const targets = [
  ['CVE-2026-44578, CVE-2026-129502: a target in absolute form', 'http://169.254.169.254/latest/meta-data'],
  ['CVE-2026-44578: a target in absolute form, ws', 'ws://internal.example/'],
  ['CVE-2026-129502: a target in authority form', 'localhost:80'],
  ['CVE-2026-129502: a target in asterisk form', '*'],
  ['CVE-2026-129502: a fragment in the target', '/chat#/../admin'],
].map(([name = '', target = '']) => attack(name, 400, { line: `GET ${target} HTTP/1.1` }));

const required = [
  attack('CVE-2026-59898: no Upgrade field', 426, { fields: { Upgrade: undefined } }),
  attack('CVE-2026-59898: no Connection field', 426, { fields: { Connection: undefined } }),
  attack('CVE-2026-59898: a Connection field that keeps alive', 426, { fields: { Connection: 'keep-alive' } }),
  attack('CVE-2026-59898: a Connection field that only begins with the word', 426, {
    fields: { Connection: 'Upgraded' },
  }),
  attack('GHSA-8wcc-wqxr-28qp: an Upgrade to something else', 426, { fields: { Upgrade: 'h2c' } }),
  attack('GHSA-8wcc-wqxr-28qp: an Upgrade to a longer name', 426, { fields: { Upgrade: 'websocketx' } }),
  attack('GHSA-9mqv-5hh9-4cgg: no key', 400, { fields: { 'Sec-WebSocket-Key': undefined } }),
  attack('GHSA-9mqv-5hh9-4cgg: a key of 15 bytes', 400, { fields: { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25j' } }),
  attack('cross-protocol: a key of letters that are no base64', 400, {
    fields: { 'Sec-WebSocket-Key': '!!!!!!!!!!!!!!!!!!!!!!==' },
  }),
  attack('no Host', 400, { fields: { Host: undefined } }),
  attack('another version', 426, { fields: { 'Sec-WebSocket-Version': '8' } }),
  attack('HTTP/1.0', 400, { line: 'GET / HTTP/1.0' }),
  attack('another method', 405, { line: 'HEAD / HTTP/1.1' }),
  attack('the method CONNECT', 405, { line: 'CONNECT localhost:80 HTTP/1.1' }),
];

const repeated = [
  ['Host: other', 400],
  [`Sec-WebSocket-Key: ${KEY}`, 400],
  ['Sec-WebSocket-Version: 13', 426],
  ['Origin: http://localhost', 400],
].map(([line, status]) =>
  attack(`two readings of one request: a second ${String(line).split(':')[0]}`, Number(status), {
    before: `${line}\r\n`,
    fields: { Origin: 'http://localhost' },
  }),
);

const framing = [
  attack('CVE-2026-130647: a body by Content-Length', 400, { behind: 'Content-Length: 5\r\n' }),
  attack('CVE-2026-130647: a body by Transfer-Encoding', 400, { behind: 'Transfer-Encoding: chunked\r\n' }),
  attack('a header that is folded', 400, { behind: 'X-Folded: a\r\n b\r\n' }),
  attack('a NUL in a field', 400, { fields: { 'X-Nul': 'a\0b' } }),
  attack('a line that is no field', 400, { behind: 'nonsense\r\n' }),
  attack('CVE-2022-21676: a request line of nonsense', 400, { line: '\u0016\u0003\u0001 GET' }),
  attack('CVE-2024-37890: 2,000 fields before the Upgrade', 431, { before: 'a: b\r\n'.repeat(2000) }),
  attack('a field of 64 KiB', 431, { fields: { Cookie: 'a'.repeat(65_536) } }),
  attack('a target of 64 KiB', 431, { line: `GET /${'a'.repeat(65_536)} HTTP/1.1` }),
];

const passing = [
  ...PROTOTYPE.flatMap((name) => [
    attack(`GHSA-5v72-xg48-5rpm: the extension ${name}`, 101, { fields: { 'Sec-WebSocket-Extensions': name } }),
    attack(`GHSA-5v72-xg48-5rpm: the parameter ${name}`, 101, {
      fields: { 'Sec-WebSocket-Extensions': `x; ${name}=1; ${name}` },
    }),
    attack(`GHSA-gr94-w7qr-f4j3: the subprotocol ${name}`, 101, { fields: { 'Sec-WebSocket-Protocol': name } }),
    attack(`GHSA-gr94-w7qr-f4j3: the field ${name}`, 101, { fields: { [name]: 'x' } }),
  ]),
  attack('CVE-2026-55517: Latin-1 in a field', 101, { fields: { 'X-Name': 'caf\u00e9 \u00ff' } }),
  attack('CVE-2026-55517: UTF-8 in a field', 101, { fields: { 'X-Name': Buffer.from('é€😀').toString('latin1') } }),
];

/** Pages of elsewhere, for a server on localhost:8080. */
const FOREIGN_ORIGINS = [
  'http://evil.example',
  'null',
  '',
  'http://localhost:8081',
  'http://localhost',
  'https://localhost',
  'http://localhost.evil.example:8080',
  'http://evil-localhost:8080',
  'http://localhost:8080.evil.example',
  'http://localhost:8080@evil.example',
  'http://user@localhost:8080',
  'http://localhost:8080/path',
  'file://localhost:8080',
  'chrome-extension://localhost:8080',
  'localhost:8080',
  'http://127.0.0.1:8080',
  'http://[::1]:8080',
  'http://localhost:8080 http://evil.example',
];

const origins = [
  ...FOREIGN_ORIGINS.map((origin) =>
    attack(
      `CVE-2025-24010, CVE-2018-14732, CVE-2026-112085, CVE-2026-44211, CVE-2020-28481, CVE-2026-133111: a page of ${origin || 'nowhere'}`,
      403,
      { fields: { Host: 'localhost:8080', Origin: origin } },
    ),
  ),
  attack('a page of our own, in capitals', 101, {
    fields: { Host: 'localhost:8080', Origin: 'HTTP://LOCALHOST:8080' },
  }),
];

export const REQUEST_ATTACKS: readonly RequestAttack[] = [
  ...targets,
  ...required,
  ...repeated,
  ...framing,
  ...passing,
  ...origins,
];

export interface ResponseAttack {
  readonly name: string;
  /** `{accept}` stands for the right Sec-WebSocket-Accept. */
  readonly response: string;
}

const answer = (fields: string, line = 'HTTP/1.1 101 Switching Protocols'): string =>
  `${line}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n${fields}\r\n`;

/** Answers that a client refuses. It asks for the subprotocols `a` and `b`, and offers permessage-deflate. */
export const RESPONSE_ATTACKS: readonly ResponseAttack[] = [
  ...[
    ...['0', '7', '16', '99', '""', '08', 'abc'].map((bits) => `server_max_window_bits=${bits}`),
    'server_max_window_bits',
    'client_max_window_bits=7',
    'server_no_context_takeover=1',
  ].map((parameter) => ({
    name: `CVE-2026-2229: an answer that permessage-deflate does not know, with ${parameter}`,
    response: answer(`Sec-WebSocket-Extensions: permessage-deflate; ${parameter}\r\n`),
  })),
  ...PROTOTYPE.map((name) => ({
    name: `GHSA-5v72-xg48-5rpm: the extension ${name}`,
    response: answer(`Sec-WebSocket-Extensions: ${name}\r\n`),
  })),
  { name: 'a subprotocol that nobody asked for', response: answer('Sec-WebSocket-Protocol: c\r\n') },
  { name: 'a subprotocol in other letters', response: answer('Sec-WebSocket-Protocol: A\r\n') },
  { name: 'two subprotocols', response: answer('Sec-WebSocket-Protocol: a, b\r\n') },
  { name: 'a wrong accept value', response: answer('').replace('{accept}', 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=') },
  { name: 'a repeated accept value', response: answer('Sec-WebSocket-Accept: {accept}\r\n') },
  { name: 'no accept value', response: answer('').replace(/Sec-WebSocket-Accept.*\r\n/, '') },
  { name: 'no Upgrade', response: answer('').replace(/Upgrade: websocket\r\n/, '') },
  { name: 'another status', response: answer('Content-Length: 0\r\n', 'HTTP/1.1 200 OK') },
  { name: 'HTTP/1.0', response: answer('', 'HTTP/1.0 101 Switching Protocols') },
  { name: 'no HTTP at all', response: 'SSH-2.0-OpenSSH_9.9\r\n' },
  { name: 'a status that is no number', response: answer('', 'HTTP/1.1 abc x') },
  { name: 'a field with a NUL', response: answer('X: a\0b\r\n') },
  { name: 'a head of 64 KiB', response: answer(`X: ${'a'.repeat(65_536)}\r\n`) },
  {
    name: 'a body that never ends',
    response: `HTTP/1.1 404 No\r\nContent-Length: 999999999\r\n\r\n${'x'.repeat(100_000)}`,
  },
  {
    name: 'a redirect to nowhere',
    response: 'HTTP/1.1 302 Go\r\nLocation: http://[::bad\r\nContent-Length: 0\r\n\r\n',
  },
  {
    name: 'a redirect to a file',
    response: 'HTTP/1.1 302 Go\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n',
  },
];
