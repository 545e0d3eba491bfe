/** curl as a client that only shakes hands. Argument: the server. */
import { execFile } from 'node:child_process';

const base = process.argv[2].replace(/^ws:/, 'http:');
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const UPGRADE = {
  Connection: 'keep-alive, Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Key': KEY,
  'Sec-WebSocket-Version': '13',
};

/** case → path, headers, what the head of the answer must match, further arguments of curl */
const CASES = {
  'handshake 101': [
    '/close?code=1000&reason=',
    UPGRADE,
    [/^HTTP\/1\.1 101 /, /^sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r$/im],
  ],
  'no upgrade 426': ['/echo', {}, [/^HTTP\/1\.1 426 /, /^upgrade: websocket\r$/im]],
  'version 8 426': [
    '/echo',
    { ...UPGRADE, 'Sec-WebSocket-Version': '8' },
    [/^HTTP\/1\.1 426 /, /^sec-websocket-version: 13\r$/im],
  ],
  'POST 405': ['/echo', UPGRADE, [/^HTTP\/1\.1 405 /, /^allow: GET\r$/im], '--request', 'POST'],
  'short key 400': ['/echo', { ...UPGRADE, 'Sec-WebSocket-Key': 'c2hvcnQ=' }, [/^HTTP\/1\.1 400 /]],
  'foreign origin 403': ['/echo', { ...UPGRADE, Origin: 'http://elsewhere.example' }, [/^HTTP\/1\.1 403 /]],
  'own origin 101': ['/close?code=1000&reason=', { ...UPGRADE, Origin: base }, [/^HTTP\/1\.1 101 /]],
  'large head 431': ['/echo', { ...UPGRADE, Cookie: 'x'.repeat(9_000) }, [/^HTTP\/1\.1 431 /]],
  'refused 403': ['/refused', UPGRADE, [/^HTTP\/1\.1 403 /, /\r\n\r\nnot you$/]],
  'refused 404': ['/nowhere', UPGRADE, [/^HTTP\/1\.1 404 /]],
};

function curl(path, headers, more) {
  const fields = Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`]);
  const options = ['--silent', '--include', '--http1.1', '--no-buffer', '--max-time', '10', ...more, ...fields];
  return new Promise((resolve) => {
    execFile('curl', [...options, base + path], { encoding: 'latin1' }, (error, output) => resolve({ error, output }));
  });
}

for (const [name, [path, headers, patterns, ...more]] of Object.entries(CASES)) {
  const { error, output } = await curl(path, headers, more);
  const missed = patterns.filter((pattern) => !pattern.test(output)).map(String);
  // 28 is curl's own time limit: the server must have ended the connection long before.
  if (error?.code === 28) missed.push('an end within 10 s');
  console.log(
    JSON.stringify({
      case: name,
      ok: missed.length === 0,
      detail: missed.length === 0 ? '' : `no ${missed.join(', ')} in ${output} ${error ?? ''}`,
    }),
  );
}
