import { describe, expect, it } from 'vitest';
import { createPerMessageDeflate } from '../../lib/deflate/per-message-deflate.ts';
import { type ExtensionOptions, resolveExtensions } from '../../lib/endpoint/extension-options.ts';
import { createXor } from '../support/xor-extension.ts';

const namesOf = (options: ExtensionOptions, isDefault: boolean): string[] =>
  resolveExtensions(options, isDefault).map(({ name }) => name);

describe('resolveExtensions', () => {
  it.each<[string, ExtensionOptions, string[], string[]]>([
    ['nothing', {}, ['permessage-deflate'], []],
    ['true', { perMessageDeflate: true }, ['permessage-deflate'], ['permessage-deflate']],
    ['false', { perMessageDeflate: false }, [], []],
    ['options', { perMessageDeflate: { level: 3 } }, ['permessage-deflate'], ['permessage-deflate']],
    ['another extension', { extensions: [createXor()] }, ['x-xor', 'permessage-deflate'], ['x-xor']],
    [
      'permessage-deflate at a place of its own',
      { extensions: [createPerMessageDeflate(), createXor()] },
      ['permessage-deflate', 'x-xor'],
      ['permessage-deflate', 'x-xor'],
    ],
  ])('of %s makes %s, or for a server %s', (_name, options, ofClient, ofServer) => {
    expect([namesOf(options, true), namesOf(options, false)]).toEqual([ofClient, ofServer]);
  });

  it.each<[string, unknown, new (...args: never[]) => Error]>([
    ['a deflate that is no option', { perMessageDeflate: 1 }, TypeError],
    ['a deflate that is null', { perMessageDeflate: null }, TypeError],
    ['a window that cannot be', { perMessageDeflate: { serverMaxWindowBits: 7 } }, RangeError],
    ['extensions that are no list', { extensions: createXor() }, TypeError],
    ['an extension twice', { extensions: [createXor(), createXor()] }, TypeError],
    ['deflate twice', { perMessageDeflate: true, extensions: [createPerMessageDeflate()] }, TypeError],
  ])('refuses %s', (_name, options, kind) => {
    expect(() => resolveExtensions(options as ExtensionOptions, false)).toThrow(kind);
  });
});
