/** What the specifications oblige to, and the ways to deny service that have no advisory: see known-attacks.ts. */
import type { KnownAttack, Proof } from './known-attacks.ts';

const row = (ids: string, where: string, attack: string, proof: Proof): KnownAttack => ({ ids, where, attack, proof });
const flood = (title: string): Proof => [['spec/attacks/floods.spec.ts', title]];
const ending = (title: string): Proof => [['spec/attacks/endings.spec.ts', title]];
const handshake = (title: string): Proof => [['spec/attacks/handshake.spec.ts', title]];
const request = (title: string): Proof => [['spec/attacks/handshake-attacks.ts', title]];
const frame = (title: string): Proof => [['spec/attacks/wire-attacks.ts', title]];
const conformance = 'spec/connection/ws-connection.conformance.spec.ts';
const http2 = (title: string): Proof => [['spec/attacks/http2.spec.ts', title]];
const inflater = (title: string): Proof => [['spec/deflate/frame-inflater.violations.spec.ts', title]];

export const OBLIGATIONS: readonly KnownAttack[] = [
  row('masking', 'RFC 6455 §5.3, §10.3', 'a fresh key for each frame that nobody can predict, pings and closes too', [
    ['spec/attacks/endings.spec.ts', 'on the wire are all different'],
    [conformance, 'masks every frame of a client and none of a server'],
  ]),
  row('masked and unmasked', 'RFC 6455 §5.1', 'a server closes on unmasked frames, a client on masked ones', [
    ['spec/attacks/wire-attacks.ts', 'a frame of a client that is not masked'],
    ['spec/attacks/wire-attacks.ts', 'a frame of a server that is masked'],
  ]),
  row('origin', 'RFC 6455 §10.2', 'pages of other hosts are refused by default', request('CVE-2025-24010')),
  row('cross-protocol', 'RFC 6455 §4.1, §4.2.1', 'the key is 16 bytes, the accept value exact', [
    ['spec/attacks/handshake-attacks.ts', 'cross-protocol: a key of letters'],
    ['spec/attacks/handshake-attacks.ts', 'a wrong accept value'],
  ]),
  row('oversize', 'RFC 6455 §10.4', 'limits on frames and messages', frame('CVE-2026-9675')),
  row('TLS and SNI', 'RFC 6455 §4.1, §10.6', 'TLS with the name of the host', [
    ['spec/endpoint/client/connect.spec.ts', 'connects over %s: to a name with SNI'],
  ]),
  row('validation', 'RFC 6455 §10.7', 'whatever comes is validated', frame('text with')),
  row('close reason', 'RFC 6455 §5.5.1', 'a reason is not trusted text', 'left to the user: see below'),
  row('data after close', 'RFC 6455 §5.5.1', 'nothing is sent behind a close frame', [
    [conformance, 'sends nothing when it is not open'],
  ]),
  row('stop after failing', 'RFC 6455 §7.1.7', 'nothing is processed behind a violation', [
    [conformance, 'closes the TCP connection when it fails'],
  ]),
  row('inflated size, CRIME, RSV1 rules', 'RFC 7692 §8', 'limits on what is inflated, no secrets beside foreign data', [
    ['spec/deflate/frame-inflater.violations.spec.ts', 'is stopped within a slice of %s (§10.4)'],
    ['spec/deflate/frame-deflater.spec.ts', 'keeps a message that stays plain out of what later ones refer to (§8)'],
    ['spec/attacks/wire-attacks.ts', 'GHSA-mq44-7p77-q5h7'],
  ]),
  row('tunnels', 'RFC 8441', 'no tunnel to :authority; origin and flow control', [
    ['spec/endpoint/server/ws-server.extended-connect.spec.ts', 'is refused: %s'],
    ['spec/endpoint/server/ws-server.extended-connect.spec.ts', 'refuses %s'],
    ['spec/endpoint/http2/http2-transport.spec.ts', 'is the backpressure of a connection that is not read'],
  ]),
  row(
    'header injection',
    'RFC 9110 §5.5',
    'CR, LF, NUL and what is no token never reach a header',
    handshake('line ends and NUL in %s are a TypeError'),
  ),
];

export const VECTORS: readonly KnownAttack[] = [
  row('fragment flood', 'frames', 'fragments of 0 and 1 bytes without end', flood('CVE-2026-62389, CVE-2026-48779')),
  row('empty messages', 'frames', 'empty text messages, each an event', flood('empty text messages')),
  row('tiny frames', 'frames', 'two bytes on the wire, a hundred in memory', flood('messages of 1 byte')),
  row('ping flood, unread', 'frames', 'pongs pile up', flood('8.23.0')),
  row('pong flood', 'frames', 'pongs that nobody asked for', flood('pongs that nobody asked for')),
  row(
    'close, then data',
    'frames',
    'endless data behind a close frame',
    flood('data behind a close frame is thrown away'),
  ),
  row('slowloris', 'handshake', 'a byte a second', handshake('slowloris')),
  row(
    'CVE-2023-44487',
    'HTTP/2',
    'streams that are opened and reset at once',
    http2('ends the session, and leaves no'),
  ),
  row('stream floods', 'HTTP/2', 'a thousand handshakes on one socket', [
    ['spec/attacks/http2.spec.ts', 'counts against maxConnections, stream by stream'],
    ['spec/attacks/http2.spec.ts', 'counts against maxPendingHandshakes'],
  ]),
  row(
    'malformed CONNECTs',
    'HTTP/2',
    'fields that are missing, twice, or of HTTP/1.1',
    http2('%s is a PROTOCOL_ERROR'),
  ),
  row('slow frame', 'frames', 'headers that announce and never deliver', flood('slow frame: 200 headers')),
  row('never closing', 'closing', 'a peer that does not answer a close', ending('CVE-2024-23672')),
  row('half-open TCP', 'closing', 'a peer that is gone without a word', ending('half-open TCP')),
  row('huge heads', 'handshake', 'huge fields, and very many', request('a field of 64 KiB')),
  row('folded headers', 'handshake', 'a field on two lines', request('a header that is folded')),
  row(
    'unfinished handshakes',
    'handshake',
    'a thousand sockets that say nothing',
    handshake('a thousand handshakes that never come'),
  ),
  row(
    'bombs',
    'compression',
    'ratio, nested fragments, context takeover',
    inflater('through takeover is stopped, too'),
  ),
  row(
    'compression that burns CPU',
    'compression',
    'many tiny compressed messages',
    inflater('again and again is inflated a little at a time'),
  ),
  row('tiny segments', 'TCP', 'a message in segments of 1 byte', flood('CVE-2026-123817: in the bytes of a message')),
  row(
    'wrong masking',
    'frames',
    'unmasked to a server, masked to a client',
    frame('a frame of a client that is not masked'),
  ),
  row('length 2^63', 'frames', 'the highest bit of a 64-bit length', frame('CVE-2026-1528')),
  row('long lengths', 'frames', 'lengths in more bytes than needed', frame('CVE-2026-83599')),
  row('reserved bits and opcodes', 'frames', 'what nobody has negotiated', frame('the reserved opcode')),
  row(
    'close bodies',
    'frames',
    'one byte, a bad code, a bad reason; 126 bytes of control',
    frame('a close body of one byte'),
  ),
  row(
    'wrong sequences',
    'frames',
    'interleaved messages, continuations of nothing',
    frame('a message inside a message'),
  ),
  row('early bytes', 'handshake', 'frames before the 101 are kept, in order', [
    ['spec/endpoint/upgrade/upgrade.spec.ts', 'keeps bytes that came with the request'],
  ]),
  row('broadcast to slow readers', 'memory', 'one copy, not one for each', flood('a huge broadcast')),
  row('connect and abort', 'clients', 'a storm of aborted handshakes', [
    ['spec/endpoint/client/connect.spec.ts', 'leaves nothing behind when connecting and aborting'],
  ]),
  row('prototype names', 'handshake', 'fields called `__proto__`', request('GHSA-gr94-w7qr-f4j3')),
  row('redirect loops', 'clients', 'a redirect to itself', [
    ['spec/endpoint/client/connect.spec.ts', 'that go in a circle come to an end'],
  ]),
  row('repeated fields', 'handshake', 'requests that can be read in two ways', request('two readings of one request')),
];
