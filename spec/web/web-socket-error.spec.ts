import { describe, expect, it } from 'vitest';
import {
  createWebSocketError,
  isWebSocketError,
  toCloseArguments,
  toUsvString,
  validateCloseArguments,
  WebSocketError,
} from '../../lib/web/web-socket-error.ts';

/** The name of the DOMException, or the constructor of another error. */
function thrownBy(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return error instanceof DOMException ? error.name : (error as Error).constructor.name;
  }
  return 'nothing';
}

describe('WebSocketError', () => {
  it('has its defaults', () => {
    const error = new WebSocketError();
    expect(error).toBeInstanceOf(DOMException);
    expect(error).toBeInstanceOf(Error);
    expect([error.name, error.code, error.message, error.closeCode, error.reason]).toEqual([
      'WebSocketError',
      0,
      '',
      null,
      '',
    ]);
    expect(Object.prototype.toString.call(error)).toBe('[object WebSocketError]');
  });

  it('is made of its arguments', () => {
    const error = new WebSocketError('message', { closeCode: 3456, reason: 'reason' });
    expect([error.code, error.message, error.closeCode, error.reason]).toEqual([0, 'message', 3456, 'reason']);
  });

  it('gives a reason without a code the code 1000, and no reason none', () => {
    expect(new WebSocketError('', { reason: 'specified' }).closeCode).toBe(1000);
    expect(new WebSocketError('', { closeCode: 3333 })).toMatchObject({ closeCode: 3333, reason: '' });
    expect(new WebSocketError('', { reason: '' }).closeCode).toBeNull();
  });

  it.each<readonly [unknown, string]>([
    ...[999, 1001, 1006, 2999, 5000, 0, null].map((closeCode) => [{ closeCode }, 'InvalidAccessError'] as const),
    ...[-1, 65_536, Number.NaN, Number.POSITIVE_INFINITY, 'x', {}, 1000n].map(
      (closeCode) => [{ closeCode }, 'TypeError'] as const,
    ),
    ...[1000, 3000, 4999, '3000', 3000.9].map((closeCode) => [{ closeCode }, 'nothing'] as const),
    [{ closeCode: 1000, reason: 'x'.repeat(124) }, 'SyntaxError'],
    [{ reason: '🔌'.repeat(31) }, 'SyntaxError'],
    [{ reason: '🔌'.repeat(30) }, 'nothing'],
    [{ reason: Symbol('reason') }, 'TypeError'],
    [{ reason: 7 }, 'nothing'],
    [true, 'TypeError'],
    ['text', 'TypeError'],
    [null, 'nothing'],
  ])('of %o throws %s', (init, expected) => {
    expect(thrownBy(() => new WebSocketError('', init as never))).toBe(expected);
    // `close()` judges the same in the same way.
    expect(thrownBy(() => validateCloseArguments(toCloseArguments(init as never)))).toBe(expected);
  });

  it('makes a reason of anything, without lone surrogates', () => {
    expect(new WebSocketError('', { reason: 7 as never }).reason).toBe('7');
    expect(new WebSocketError('', { reason: 'a\ud800' }).reason).toBe('a\ufffd');
    expect(toUsvString('\ufeffx')).toBe('\ufeffx');
  });

  it('has any code where a connection ended with it, and what lies behind it as its cause', () => {
    const cause = new Error('cut');
    const error = createWebSocketError('over', 1006, '', cause);
    expect([error.closeCode, error.cause, Object.keys(error)]).toEqual([1006, cause, []]);
    expect('cause' in createWebSocketError('over', null, '', undefined)).toBe(false);
  });

  it('is known by what it is, not by what it says', () => {
    const lookalike = Object.assign(new DOMException('', 'WebSocketError'), { closeCode: 3333, reason: '' });
    expect([new WebSocketError(), lookalike, {}, null, 7, 'text'].map(isWebSocketError)).toEqual([
      true,
      ...Array(5).fill(false),
    ]);
  });
});
