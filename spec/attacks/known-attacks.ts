/**
 * Every attack on a WebSocket library that we know of, in a line each, and what proves that it fails here: a test by file
 * and title, or the reason why it cannot be tried. SECURITY.md shows these tables; spec/laws/attacks.spec.ts holds both
 * against the specs. A title may be given by its beginning.
 */

/** `[spec, title]`, or the reason why there is none. */
export type Proof = readonly (readonly [spec: string, title: string])[] | string;

export interface KnownAttack {
  /** Advisories, or the name of a vector or an obligation. */
  readonly ids: string;
  /** Where it was found, or where it stands. */
  readonly where: string;
  readonly attack: string;
  readonly proof: Proof;
}

const row = (ids: string, where: string, attack: string, proof: Proof): KnownAttack => ({ ids, where, attack, proof });

const frames = (title: string): Proof => [['spec/attacks/wire-attacks.ts', title]];
const requests = (title: string): Proof => [['spec/attacks/handshake-attacks.ts', title]];
const floods = (title: string): Proof => [['spec/attacks/floods.spec.ts', title]];
const endings = (title: string): Proof => [['spec/attacks/endings.spec.ts', title]];
const handshake = (title: string): Proof => [['spec/attacks/handshake.spec.ts', title]];
const test = (spec: string, title: string): Proof => [[spec, title]];

const CRASH: Proof = test('spec/fuzz/sessions.spec.ts', 'ends no process that listens to nothing');
const BOMB: Proof = [
  ['spec/deflate/frame-inflater.violations.spec.ts', 'is stopped within a slice of %s (§10.4)'],
  ['spec/connection/ws-connection.deflate.spec.ts', 'stops a bomb by its ratio (§10.4)'],
  ['spec/connection/ws-connection.deflate.spec.ts', 'inflates no further than somebody reads'],
];
const SECOND_STREAM: Proof = [
  ['spec/deflate/frame-inflater.violations.spec.ts', 'and a second stream, in one message'],
  ['spec/deflate/frame-inflater.violations.spec.ts', '%s: no byte is lost'],
];

export const ADVISORIES: readonly KnownAttack[] = [
  row('CVE-2026-62389', 'ws', 'a message of tiny fragments that never ends takes fifteen times its bytes', [
    ['spec/attacks/floods.spec.ts', 'CVE-2026-62389, CVE-2026-48779: fragments of 1 byte'],
    ['spec/connection/ws-connection.backpressure.spec.ts', 'ends a message of one-byte fragments that never ends'],
  ]),
  row(
    'CVE-2026-48779, GHSA-96hv-2xvq-fx4p',
    'ws',
    'tiny fragments exhaust memory',
    floods('CVE-2026-48779: fragments of %s'),
  ),
  row('ws 8.23.0', 'ws', 'pings from a peer that does not read pile up pongs', [
    ['spec/attacks/floods.spec.ts', '8.23.0, CVE-2026-109932, CVE-2026-11586'],
    ['spec/connection/ws-connection.backpressure.spec.ts', 'piles up no pongs where a flood of pings comes'],
  ]),
  row(
    'CVE-2026-45736, GHSA-58qx-3vcg-4xpx',
    'ws',
    'a close reason that is a typed array sends memory',
    endings('close(1000, %o) is a TypeError'),
  ),
  row('CVE-2024-37890, GHSA-3h5v-q93c-6h6q', 'ws', 'more fields than the server counts crash it', [
    ['spec/attacks/handshake-attacks.ts', 'CVE-2024-37890: 2,000 fields before the Upgrade'],
    ['spec/attacks/handshake.spec.ts', 'CVE-2024-37890: an HTTP server that leaves fields out'],
  ]),
  row(
    'CVE-2021-32640, GHSA-6fc8-4gx4-v693',
    'ws',
    'spaces in Sec-WebSocket-Protocol are trimmed in quadratic time',
    test('spec/handshake/field-grammar.spec.ts', 'of $parser is linear in 64 KiB of $text'),
  ),
  row(
    'GHSA-5v72-xg48-5rpm',
    'ws',
    'an extension called `constructor` crashes',
    requests('GHSA-5v72-xg48-5rpm: the extension'),
  ),
  row(
    'CVE-2016-10542',
    'ws',
    'a payload beyond the limit is taken',
    frames('CVE-2026-1528, CVE-2020-13935, CVE-2020-27813, CVE-2016-10542'),
  ),
  row(
    'CVE-2016-10518',
    'ws',
    'ping(number) sends memory',
    endings('%s of what is neither text nor bytes is a TypeError'),
  ),
  row('CVE-2026-1526, GHSA-vrm6-8vpv-qv8q', 'undici', 'a compressed message inflates without end', BOMB),
  row('CVE-2026-1528, GHSA-f269-vfmq-vjvj', 'undici', 'a 64-bit length overflows', frames('CVE-2026-1528')),
  row(
    'CVE-2026-2229, GHSA-v9p9-hfj2-hcw8',
    'undici',
    'window bits out of range crash the client',
    requests('CVE-2026-2229: an answer that permessage-deflate'),
  ),
  row(
    'CVE-2026-1527, GHSA-4992-7rv2-5pvq',
    'undici',
    'line ends in an option become header fields',
    handshake('line ends and NUL in %s are a TypeError'),
  ),
  row(
    'CVE-2026-9675, GHSA-38rv-x7px-6hhq',
    'undici',
    'a limit on frames, and none on their sum',
    frames('CVE-2026-9675'),
  ),
  row(
    'CVE-2026-12151, GHSA-vxpw-j846-p89q',
    'undici',
    'fragments without number',
    floods('CVE-2026-62389, CVE-2026-12151'),
  ),
  row(
    'CVE-2026-109932, GHSA-9fm3-97px-rjf6, CVE-2026-11586',
    'undici, curl',
    'a server floods a client with pings',
    floods('8.23.0, CVE-2026-109932, CVE-2026-11586'),
  ),
  row('CVE-2026-54490, GHSA-mp7j-qc5w-4988', 'websocket-driver', 'the limit is judged on compressed bytes', BOMB),
  row(
    'CVE-2026-54466, GHSA-xv26-6w52-cph6',
    'websocket-driver',
    'a length of draft-75 grows without end',
    frames('CVE-2026-54466: a length of draft-75'),
  ),
  row(
    'CVE-2026-54464, CVE-2026-54465, GHSA-33ph-fccm-39pj, GHSA-8j3g-f24p-4mpw',
    'websocket-driver (Ruby)',
    'an answer whose head never ends',
    handshake('CVE-2026-54464, CVE-2026-54465'),
  ),
  row(
    'CVE-2020-7662, CVE-2020-7663',
    'websocket-extensions',
    'Sec-WebSocket-Extensions is parsed in quadratic time',
    test('spec/handshake/field-grammar.spec.ts', 'of $parser is linear in 64 KiB of $text'),
  ),
  row('CVE-2016-10544, GHSA-hf5h-hh56-3vrg', 'uws', 'a compressed message of 256 MiB crashes', BOMB),
  row(
    'CVE-2022-41940, GHSA-r7qp-cfhv-p84w, CVE-2023-31125, GHSA-q9mw-68c2-j6m5',
    'engine.io',
    'a request or packet of nonsense is an uncaught exception',
    CRASH,
  ),
  row(
    'CVE-2022-21676',
    'engine.io',
    'a handshake of nonsense is an uncaught exception',
    requests('CVE-2022-21676: a request line of nonsense'),
  ),
  row(
    'CVE-2024-38355',
    'socket.io',
    "an 'error' event without a listener ends the process",
    endings('CVE-2022-39386, CVE-2024-38355'),
  ),
  row(
    'CVE-2020-36048, CVE-2020-36049, CVE-2026-33151, GHSA-677m-j7p3-52f9, CVE-2026-69185, GHSA-2m8v-j782-fhvr',
    'engine.io, socket.io-parser',
    'long polling and packets with attachments take memory',
    'there is no long polling and no packet format here: a message is bytes, limited by maxMessageBytes',
  ),
  row('GHSA-gr94-w7qr-f4j3', 'engine.io', 'a session called `__proto__` crashes', requests('GHSA-gr94-w7qr-f4j3')),
  row(
    'CVE-2017-16031',
    'socket.io',
    'session ids can be guessed',
    'there are no session ids here; handshake keys and masking keys come from the system generator, see GO-2026-6278',
  ),
  row('CVE-2020-28481', 'socket.io', 'all origins are allowed by default', requests('CVE-2025-24010')),
  row(
    'CVE-2022-39386, GHSA-4pcg-wr6c-h9cq',
    '@fastify/websocket',
    'a malformed frame is an unhandled error',
    endings('CVE-2022-39386, CVE-2024-38355'),
  ),
  row(
    'CVE-2026-130647, GHSA-6fhg-8r33-fcww',
    '@fastify/http-proxy',
    'a request behind the upgrade is served',
    frames('CVE-2026-130647, CVE-2026-100658'),
  ),
  row(
    'CVE-2026-129500, GHSA-q659-79j2-32h5',
    '@fastify/http-proxy',
    'the socket of an upgrade fails while nobody listens',
    handshake('CVE-2026-129500'),
  ),
  row(
    'CVE-2026-129502, GHSA-29w6-p7r8-xmf9',
    '@fastify/http-proxy',
    'a fragment in the target',
    requests('CVE-2026-129502: a fragment in the target'),
  ),
  row(
    'CVE-2026-133111, GHSA-w3r4-6w5h-3vrc',
    '@fastify/http-proxy',
    'the Origin is lost on the way to who judges it',
    test('spec/endpoint/upgrade/upgrade-request.spec.ts', 'gives the function the origin and the request'),
  ),
  row(
    'GHSA-8wcc-wqxr-28qp',
    '@hono/node-server',
    'an upgrade to something else stays open',
    requests('GHSA-8wcc-wqxr-28qp'),
  ),
  row(
    'GHSA-9mqv-5hh9-4cgg',
    '@hono/node-server',
    'a bad key leaks the socket',
    test('spec/endpoint/upgrade/upgrade.spec.ts', 'survives a thousand bad handshakes'),
  ),
  row(
    'CVE-2026-44578, GHSA-c4j6-fc7j-m34r',
    'Next.js',
    'a target in absolute form is fetched',
    requests('CVE-2026-44578'),
  ),
  row(
    'CVE-2020-27813, GHSA-3xh2-74w9-5vxm',
    'gorilla',
    'a length overflows',
    frames('CVE-2026-1528, CVE-2020-13935, CVE-2020-27813'),
  ),
  row('GO-2026-6278, GHSA-w67g-5rqw-f597', 'gorilla', 'masking keys can be predicted', [
    ['spec/attacks/endings.spec.ts', 'on the wire are all different'],
    ['spec/protocol/frame-serializer.spec.ts', 'masks each frame with a fresh key from the system generator'],
  ]),
  row(
    'CVE-2023-43669, RUSTSEC-2023-0065',
    'tungstenite',
    'a head that comes byte by byte is parsed anew for each',
    handshake('CVE-2023-43669'),
  ),
  row('CVE-2018-1000518', 'websockets (Python)', 'a compressed message inflates without end', BOMB),
  row(
    'CVE-2021-33880',
    'websockets (Python)',
    'the time of a comparison tells a password',
    'wspipe compares no secrets; who does so in authorize uses timingSafeEqual of node:crypto',
  ),
  row('GHSA-mq44-7p77-q5h7', 'aiohttp', 'RSV1 is taken without having been negotiated', frames('GHSA-mq44-7p77-q5h7')),
  row('CVE-2026-54274', 'aiohttp', 'a frame that is not whole passes the limit', frames('CVE-2026-54274')),
  row('CVE-2026-123817', 'aiohttp', 'each read costs an object', floods('CVE-2026-123817: in the bytes of a message')),
  row(
    'CVE-2020-35678',
    'autobahn',
    'a redirect injects header fields',
    handshake('line ends and NUL in the answer of a server'),
  ),
  row(
    'CVE-2026-116579, GHSA-pjh6-c8mg-3x7m',
    'autobahn',
    'a brotli message inflates without end',
    'there is no brotli here: permessage-deflate is the one extension, see CVE-2026-1526',
  ),
  row('CVE-2014-0193', 'Netty', 'aggregation of frames takes memory', frames('CVE-2014-0193')),
  row(
    'CVE-2026-59898, GHSA-4mp9-239f-g9hg',
    'Netty',
    'an upgrade without Connection or Upgrade',
    requests('CVE-2026-59898'),
  ),
  row(
    'CVE-2026-100658, GHSA-2g37-3h88-55hc',
    'Netty',
    'pipelined requests queue up',
    handshake('CVE-2026-130647, CVE-2026-100658'),
  ),
  row(
    'CVE-2020-13935',
    'Tomcat',
    'a length with its highest bit set loops for ever',
    frames('CVE-2026-1528, CVE-2020-13935'),
  ),
  row('CVE-2024-23672', 'Tomcat', 'a close that never completes keeps the connection', endings('CVE-2024-23672')),
  row('CVE-2026-79677', 'Tomcat', 'a peer that never reads has no time-out', endings('CVE-2026-79677')),
  row('CVE-2026-87022', 'Tomcat', 'a second deflate stream in one message is smuggled', SECOND_STREAM),
  row(
    'CVE-2026-42498, CVE-2026-107227',
    'Tomcat, AsyncHttpClient',
    'Authorization follows a redirect to another host',
    test('spec/endpoint/client/connect.spec.ts', 'take credentials and cookies to their own origin only'),
  ),
  row(
    'CVE-2020-11050, CVE-2017-1000209',
    'Java-WebSocket, nv-websocket-client',
    'the name in a certificate is not checked',
    [
      ['spec/endpoint/client/connect.spec.ts', 'rejects a certificate %s'],
      ['spec/endpoint/client/connect.spec.ts', 'for another name'],
    ],
  ),
  row('CVE-2026-55517, GHSA-x2qc-cmh9-f4hf', 'Deno', 'a header that is not ASCII panics', [
    ['spec/attacks/handshake-attacks.ts', 'CVE-2026-55517: UTF-8 in a field'],
    ['spec/attacks/handshake.spec.ts', 'CVE-2026-55517: a field in %s is no harm to a client'],
  ]),
  row(
    'CVE-2023-26103, GHSA-jc97-h3h9-7xh6',
    'Deno',
    'Connection and Upgrade are parsed in quadratic time',
    test('spec/handshake/field-grammar.spec.ts', 'of $parser is linear in 64 KiB of $text'),
  ),
  row(
    'CVE-2026-83599, CVE-2026-50161',
    'netdata, libre',
    'frame lengths are mishandled',
    frames('CVE-2026-83599, CVE-2026-50161'),
  ),
  row(
    'CVE-2025-24010, GHSA-vg6x-rcgg-rjx6, CVE-2018-14732, GHSA-cf66-xwfp-gvc4, CVE-2026-112085, GHSA-cfqc-fj3v-j925, CVE-2026-44211',
    'vite, webpack-dev-server, Cline',
    'any page may connect to a server on localhost',
    requests('CVE-2025-24010'),
  ),
];
