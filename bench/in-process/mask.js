// Masking by itself, beside copying the same bytes.
import { Buffer } from 'node:buffer';
import { createRequire } from 'node:module';
import { mask as maskInPlace } from '../../dist/protocol/index.js';

const require = createRequire(import.meta.url);
const KEY = Buffer.from([0x1f, 0x8a, 0x4d, 0xe3]);
const KEY_WORD = KEY.readInt32LE();
const PASS_BYTES = 2 ** 22;

const LIBRARIES = {
  wspipe: () => (bytes) => maskInPlace(bytes, 0, bytes.length, KEY_WORD),
  // Its package exports no such thing, so it is reached by its path. It takes bufferutil where that pays.
  ws() {
    const { unmask } = require(require.resolve('ws').replace(/index\.js$/, 'lib/buffer-util.js'));
    return (bytes) => unmask(bytes, KEY);
  },
};

function createCopy(bytes) {
  const target = Buffer.alloc(bytes.length);
  return () => target.set(bytes);
}

function check(run, length) {
  const bytes = Buffer.alloc(length, 'what is masked');
  const expected = Buffer.from(bytes.map((byte, index) => byte ^ KEY[index & 3]));
  run(bytes);
  if (bytes.compare(expected) !== 0) throw new Error('the mask is wrong');
}

export function mask(library, length) {
  const bytes = Buffer.alloc(length, 'what is masked');
  const run = library === 'memcpy' ? createCopy(bytes) : LIBRARIES[library]();
  if (library !== 'memcpy') check(run, length);
  const messages = Math.ceil(PASS_BYTES / length);
  function pass() {
    for (let index = 0; index < messages; index++) run(bytes);
  }
  return { messages, pass };
}
