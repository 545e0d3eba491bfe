import { describe, expect, it } from 'vitest';
import { ClosedError, HandshakeError, ProtocolError, VIOLATIONS, type ViolationCode, WsError } from '../lib/errors.ts';

const CODES = Object.keys(VIOLATIONS) as ViolationCode[];

describe('a ProtocolError', () => {
  it.each(CODES)('%s says its close code, its section and what is wrong', (code) => {
    const error = new ProtocolError(code);
    const { closeCode, section, message } = VIOLATIONS[code];
    expect(error).toMatchObject({
      name: 'ProtocolError',
      code,
      closeCode,
      section,
      message: `${message} (${section})`,
    });
    expect(error).toBeInstanceOf(WsError);
    expect(error).toBeInstanceOf(Error);
    expect(error.cause).toBeUndefined();
  });

  it('puts what exactly came behind the message, and keeps its cause', () => {
    const cause = new Error('inner');
    const error = new ProtocolError('WS_ERR_RESERVED_OPCODE', 'opcode 3', { cause });
    expect(error.message).toBe('the opcode is reserved: opcode 3 (RFC 6455 §5.2)');
    expect(error.cause).toBe(cause);
  });
});

describe('the table of violations', () => {
  it('answers each with the code that §7.4.1 has for its kind', () => {
    const answers = new Set(CODES.map((code) => VIOLATIONS[code].closeCode));
    expect([...answers].sort()).toEqual([1002, 1003, 1006, 1007, 1009, 1011]);
  });

  it('names a section of an RFC for each, and no code or message twice', () => {
    for (const { section } of Object.values(VIOLATIONS)) expect(section).toMatch(/^RFC (6455|7692) §\d+(\.\d+)*$/);
    expect(new Set(Object.values(VIOLATIONS).map(({ message }) => message)).size).toBe(CODES.length);
    for (const code of CODES) expect(code).toMatch(/^WS_ERR_[A-Z0-9_]+$/);
  });
});

describe('a HandshakeError', () => {
  it('has status and headers, and body and cause where they are given', () => {
    const cause = new Error('inner');
    const options = { headers: { 'sec-websocket-version': '13' }, body: 'upgrade', cause };
    expect(new HandshakeError('WS_ERR_HANDSHAKE', 426, 'version', options)).toMatchObject({
      name: 'HandshakeError',
      code: 'WS_ERR_HANDSHAKE',
      status: 426,
      message: 'version',
      ...options,
    });
  });

  it('has no headers, no body and no cause where none are given', () => {
    const error = new HandshakeError('WS_ERR_HANDSHAKE_TIMEOUT', 0, 'late');
    expect([error.headers, error.body, 'cause' in error]).toEqual([{}, undefined, false]);
    expect(error).toBeInstanceOf(WsError);
  });
});

describe('the others', () => {
  it('have stable codes and names', () => {
    expect(new WsError('WS_ERR_LOCKED', 'locked')).toMatchObject({ name: 'WsError', code: 'WS_ERR_LOCKED' });
    const cause = new Error('ECONNRESET');
    const closed = new ClosedError('The connection is over', { cause });
    expect(closed).toMatchObject({
      name: 'ClosedError',
      code: 'WS_ERR_CLOSED',
      message: 'The connection is over',
      cause,
    });
    expect(closed).toBeInstanceOf(WsError);
  });
});
