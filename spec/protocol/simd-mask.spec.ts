import { afterEach, describe, expect, it, vi } from 'vitest';
import { pattern } from '../vectors/frames.ts';

type Constructor = new (argument: object) => object;

/** Node's types do not know it. */
const platform = (globalThis as unknown as { WebAssembly: { Module: Constructor; Instance: Constructor } }).WebAssembly;

const load = async (): Promise<typeof import('../../lib/protocol/mask.ts')> => {
  vi.resetModules();
  return import('../../lib/protocol/mask.ts');
};

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

describe('masking by sixteen bytes at a step', () => {
  it('is there on Node, is compiled once and only for long runs', async () => {
    const { mask } = await load();
    let instances = 0;
    class Instance extends platform.Instance {
      constructor(module: object) {
        super(module);
        instances += 1;
      }
    }
    vi.stubGlobal('WebAssembly', { Module: platform.Module, Instance });
    mask(pattern(2047), 0, 2047, 1);
    expect(instances).toBe(0);
    mask(pattern(2048), 0, 2048, 1);
    mask(pattern(2048), 0, 2048, 1);
    expect(instances).toBe(1);
    const { hasSimdMask } = await import('../../lib/protocol/simd-mask.ts');
    expect(hasSimdMask()).toBe(true);
  });

  it.each([
    ['there is no WebAssembly', undefined],
    ['a policy forbids it', { Module: class {}, Instance: undefined }],
  ])('is done without where %s', async (_, stub) => {
    vi.stubGlobal('WebAssembly', stub);
    const { mask, maskInto } = await load();
    const bytes = pattern(9001);
    mask(bytes, 3, 9001, 0x04030201);
    const copy = new Uint8Array(9001);
    maskInto(copy, 3, pattern(9001), 3, 9001, 0x04030201);
    copy.set(pattern(3));
    expect(Buffer.compare(bytes, copy)).toBe(0);
    expect(bytes[3]! ^ pattern(4)[3]!).toBe(1);
    expect(bytes[9000]! ^ pattern(9001)[9000]!).toBe(2);
    const { hasSimdMask } = await import('../../lib/protocol/simd-mask.ts');
    expect(hasSimdMask()).toBe(false);
  });
});
