// Packs the package, installs the tarball in an empty folder, and uses it there as a stranger would: import, require,
// the command, and the types under both ways of resolving modules.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'wspipe-package-'));

function run(what, command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) {
    rmSync(folder, { recursive: true, force: true });
    console.error(`${what}: failed\n${stdout}${stderr}`);
    process.exit(1);
  }
  console.log(`${what}: ok`);
  return stdout;
}

const node = (what, ...args) => run(what, process.execPath, args);
const use = `
  const names = ['WsServer', 'WsConnection', 'WsFrame', 'FrameDecoder', 'FrameEncoder', 'connect', 'wsUpgrade', 'wsServer', 'createPair', 'refuse'];
  for (const name of names) if (typeof wspipe[name] !== 'function') throw new Error(name);
  if (typeof protocol.FrameParser !== 'function') throw new Error('FrameParser');
  const { client, server } = wspipe.createPair();
  client.sendText('hello').then(() => server.recvFrame()).then((frame) => {
    if (frame.payloadText() !== 'hello') throw new Error('no echo');
    return Promise.all([client.close(), server.recvFrame()]);
  });
`;
const types = `
import { connect, type ServerOptions, type WsConnection, WsServer, type CloseInfo } from 'wspipe';
import { natsBackplane } from 'wspipe/nats';
import { FrameParser } from 'wspipe/protocol';
import { redisBackplane } from 'wspipe/redis';
export const options: ServerOptions = { maxMessageBytes: 1, origins: '*' };
export async function use(conn: WsConnection): Promise<CloseInfo> {
  for await (const frame of conn) await conn.sendText(frame.payloadText());
  // @ts-expect-error a code is a number
  await conn.close('1000');
  return conn.closeInfo;
}
export const parser: FrameParser = new FrameParser({ role: 'server' });
export { connect, natsBackplane, redisBackplane, WsServer };
`;

writeFileSync(join(folder, 'package.json'), '{ "private": true }');
run('pack', 'npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder, root]);
const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'));
run('install', 'npm', ['install', '--silent', '--no-audit', '--no-fund', `./${tarball}`]);
writeFileSync(
  join(folder, 'use.mjs'),
  `import * as wspipe from 'wspipe'; import * as protocol from 'wspipe/protocol'; ${use}`,
);
writeFileSync(
  join(folder, 'use.cjs'),
  `const wspipe = require('wspipe'); const protocol = require('wspipe/protocol'); ${use}`,
);
node('import', 'use.mjs');
node('require', 'use.cjs');
// Their clients are not installed: whoever uses them is told so, and nobody else needs them.
const brokers = `
  const makers = { redis: (m) => m.redisBackplane({ url: 'redis://localhost' }), nats: (m) => m.natsBackplane({ servers: 'localhost' }) };
  for (const [name, make] of Object.entries(makers)) {
    const error = await make(await import(\`wspipe/\${name}\`)).catch((error) => error);
    if (error.code !== 'WS_ERR_PACKAGE_MISSING') throw error;
  }
`;
writeFileSync(join(folder, 'brokers.mjs'), brokers);
node('wspipe/redis and wspipe/nats without their clients', 'brokers.mjs');
run('command', join(folder, 'node_modules/.bin/wspipe'), ['--help']);
mkdirSync(join(folder, 'types'));
writeFileSync(join(folder, 'types/use.ts'), types);
for (const [moduleResolution, module] of [
  ['nodenext', 'nodenext'],
  ['bundler', 'esnext'],
]) {
  const compilerOptions = {
    ...{ module, moduleResolution, target: 'es2022', lib: ['es2023', 'esnext.disposable'], strict: true, noEmit: true },
    ...{ exactOptionalPropertyTypes: true, types: ['node'], typeRoots: [`${root}node_modules/@types`] },
  };
  writeFileSync(join(folder, 'types/tsconfig.json'), JSON.stringify({ compilerOptions, files: ['use.ts'] }));
  node(`types under ${moduleResolution}`, `${root}node_modules/typescript/bin/tsc`, '-p', join(folder, 'types'));
}
rmSync(folder, { recursive: true, force: true });
