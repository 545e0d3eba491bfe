// Judging whether text is UTF-8.
import { isUtf8 } from 'node:buffer';
import { createRequire } from 'node:module';
import { Utf8Validator } from '../../dist/protocol/index.js';
import { textPayload } from '../load/cycle.js';

const require = createRequire(import.meta.url);
const PASS_BYTES = 2 ** 20;

const LIBRARIES = {
  wspipe() {
    const validator = new Utf8Validator(isUtf8);
    return (bytes) => {
      validator.reset();
      return validator.push(bytes) === -1 && validator.isComplete;
    };
  },
  // Its package exports no such thing, so it is reached by its path.
  ws: () => require(require.resolve('ws').replace(/index\.js$/, 'lib/validation.js')).isValidUTF8,
};

export function utf8(library, length) {
  const isValid = LIBRARIES[library]();
  const bytes = textPayload(length);
  const broken = Uint8Array.from(bytes).fill(0xff, -1);
  if (!isValid(bytes) || isValid(broken)) throw new Error('the judgement is wrong');
  const messages = Math.ceil(PASS_BYTES / length);
  function pass() {
    for (let index = 0; index < messages; index++) isValid(bytes);
  }
  return { messages, pass };
}
