/** Law: what the package exports is a promise. A name is added or taken away here first, and on purpose. */
import { describe, expect, it } from 'vitest';
import * as root from '../../lib/index.ts';
import * as nats from '../../lib/nats/index.ts';
import * as protocol from '../../lib/protocol/index.ts';
import * as redis from '../../lib/redis/index.ts';
import { readSource } from './sources.ts';

const OPCODES = {
  WS_OPCODE_CONTINUATION: 0,
  WS_OPCODE_TEXT: 1,
  WS_OPCODE_BINARY: 2,
  WS_OPCODE_CLOSE: 8,
  WS_OPCODE_PING: 9,
  WS_OPCODE_PONG: 10,
};

const CLOSE_CODES = {
  WS_CLOSE_NORMAL: 1000,
  WS_CLOSE_GOING_AWAY: 1001,
  WS_CLOSE_PROTOCOL_ERROR: 1002,
  WS_CLOSE_UNSUPPORTED: 1003,
  WS_CLOSE_NO_STATUS: 1005,
  WS_CLOSE_ABNORMAL: 1006,
  WS_CLOSE_INVALID_DATA: 1007,
  WS_CLOSE_POLICY: 1008,
  WS_CLOSE_TOO_LARGE: 1009,
  WS_CLOSE_EXTENSION: 1010,
  WS_CLOSE_UNEXPECTED: 1011,
  WS_CLOSE_SERVICE_RESTART: 1012,
  WS_CLOSE_TRY_AGAIN_LATER: 1013,
  WS_CLOSE_BAD_GATEWAY: 1014,
  WS_CLOSE_TLS_HANDSHAKE: 1015,
};

const STATES = { WS_STATE_CONNECTING: 0, WS_STATE_OPEN: 1, WS_STATE_CLOSING: 2, WS_STATE_CLOSED: 3 };

const SIZES = {
  WS_MAX_FRAME_SIZE: 65_536,
  WS_HEADER_BUFFER: 8192,
  WS_RECV_BUFFER: 4096,
  WS_SEND_BUFFER: 65_550,
};

const CONSTANTS: Readonly<Record<string, number>> = { ...OPCODES, ...CLOSE_CODES, ...STATES, ...SIZES };

const ROOT_NAMES = [
  'Backplane',
  'ClosedError',
  'DeflatePool',
  'FrameDecoder',
  'FrameDeflater',
  'FrameEncoder',
  'FrameInflater',
  'HandshakeError',
  'PreparedFrame',
  'ProtocolError',
  'Topic',
  'VIOLATIONS',
  'WsConnection',
  'WsError',
  'WsFrame',
  'WsServer',
  'acceptExtensions',
  'confirmExtensions',
  'connect',
  'connectForever',
  'createPair',
  'createPerMessageDeflate',
  'isSendableCloseCode',
  'offerExtensions',
  'refuse',
  'wsServer',
  'wsUpgrade',
];

const PROTOCOL_NAMES = [
  'CLOSING_TABLE',
  'ClosingHandshake',
  'FrameParser',
  'FrameSerializer',
  'MAX_HEADER_LENGTH',
  'MessageAssembler',
  'PayloadCollector',
  'ProtocolError',
  'Utf8Validator',
  'VIOLATIONS',
  'WsError',
  'WsFrame',
  'allocateBytes',
  'assertClosePayload',
  'assertHeaderStart',
  'assertPayloadLength',
  'createMaskingKey',
  'decodeCloseCode',
  'decodeCloseReason',
  'decodeMaskingKey',
  'decodePayloadLength',
  'decodeUtf8',
  'encodeClosePayload',
  'encodeHeader',
  'encodeUtf8',
  'headerLength',
  'headerLengthFor',
  'isControlOpcode',
  'isFragment',
  'isKnownOpcode',
  'isMinimalLength',
  'isSendableCloseCode',
  'mask',
  'rotateMaskingKey',
  'serializeFrame',
];

describe.each([
  ['wspipe', root, ROOT_NAMES],
  ['wspipe/protocol', protocol, PROTOCOL_NAMES],
])('%s', (_entry, exported, names) => {
  it('exports these names and no others', () => {
    expect(Object.keys(exported).sort()).toEqual([...names, ...Object.keys(CONSTANTS)].sort());
  });

  it('gives the constants their values', () => {
    expect({ ...exported }).toMatchObject(CONSTANTS);
  });
});

describe.each([
  ['wspipe/redis', redis, ['redisBackplane']],
  ['wspipe/nats', nats, ['natsBackplane']],
])('%s', (_entry, exported, names) => {
  it('exports these names and no others', () => {
    expect(Object.keys(exported)).toEqual(names);
  });
});

describe('wspipe/protocol', () => {
  it('reaches no node: import', () => {
    const reached = new Set<string>(['lib/protocol/index.ts']);
    for (const path of reached) {
      if (path.startsWith('lib/')) for (const { target } of readSource(path).imports) reached.add(target);
    }
    expect(reached).toContain('lib/errors.ts');
    expect([...reached].filter((path) => !path.startsWith('lib/'))).toEqual([]);
  });
});
