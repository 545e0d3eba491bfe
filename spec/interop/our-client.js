/** wspipe as a client, for the cases. */
import { connect, WS_OPCODE_BINARY, WS_OPCODE_CONTINUATION, WS_OPCODE_TEXT, WsFrame } from '../../dist/index.js';

/** Opens one of our clients, in the shape that the cases ask for. */
export async function open(url, protocols, offer) {
  const perMessageDeflate = { windowBits: 15, ...offer, thresholdBytes: 0 };
  const conn = await connect(url, { protocols, perMessageDeflate, handshakeTimeoutMs: 10_000 });
  return {
    protocol: conn.protocol,
    send: (data) => (typeof data === 'string' ? conn.sendText(data) : conn.sendBinary(data)),
    sendPlain: (text) => conn.sendText(text, { compress: false }),
    async receive() {
      const frame = await conn.recvFrame();
      if (frame === null) return null;
      return frame.isText() ? frame.payloadText() : new Uint8Array(frame.payload);
    },
    close: (code, reason) => (code === undefined ? closeWithoutCode(conn) : conn.close(code, reason)),
    closed: conn.closeInfo,
    drop: () => conn.forceClose(),
    sendFragments: (parts) => sendFragments(conn, parts),
    sendUnfinished: (text) => conn.sendFrame(new WsFrame(WS_OPCODE_TEXT, Buffer.from(text), { isFinal: false })),
    async ping(data) {
      if ((await conn.ping(data, { timeoutMs: 5_000 })) === null) throw new Error('no pong came');
    },
  };
}

async function closeWithoutCode(conn) {
  await conn.sendFrame(WsFrame.close());
  return conn.closeInfo;
}

async function sendFragments(conn, parts) {
  const opcode = typeof parts[0] === 'string' ? WS_OPCODE_TEXT : WS_OPCODE_BINARY;
  for (const [index, part] of parts.entries()) {
    const isFinal = index === parts.length - 1;
    await conn.sendFrame(new WsFrame(index === 0 ? opcode : WS_OPCODE_CONTINUATION, Buffer.from(part), { isFinal }));
    if (index === 0) await conn.sendPing('between');
  }
}
