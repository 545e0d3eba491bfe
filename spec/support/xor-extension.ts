/**
 * A toy: an extension that XORs each byte of data with a number that the client chooses, and marks such messages with a
 * reserved bit. The guide of extensions shows the same.
 */
import { Transform } from 'node:stream';
import { WsFrame } from '../../lib/protocol/frame.ts';
import type { ExtensionStages, WsExtension } from '../../lib/stream/ws-extension.ts';

const RSV2 = 2;

export function createXor(key: number = 42, name: string = 'x-xor', rsv: number = RSV2): WsExtension {
  const stages = (agreed: number): ExtensionStages => ({
    createInbound: () => xorStage(agreed, 0),
    createOutbound: () => xorStage(agreed, rsv),
  });
  const readKey = (value: string | undefined): number | undefined =>
    /^[1-9]\d{0,2}$/.test(value ?? '') && Number(value) < 256 ? Number(value) : undefined;
  return {
    name,
    rsv,
    offer: () => [[{ name: 'key', value: String(key) }]],
    accept: (params) => {
      const agreed = readKey(params[0]?.value);
      return agreed === undefined || params.length > 1 ? undefined : { params, stages: stages(agreed) };
    },
    confirm: (params) => {
      if (readKey(params[0]?.value) !== key) throw new Error('the server has another key');
      return stages(key);
    },
  };
}

/** Gives frames with their data changed and marked with `rsv`; control frames as they are. */
export function xorStage(key: number, rsv: number): Transform {
  return new Transform({
    objectMode: true,
    transform(frame: WsFrame, _encoding, callback) {
      if (frame.isControl()) {
        callback(null, frame);
        return;
      }
      const payload = frame.payload.map((byte) => byte ^ key);
      const { opcode, isFinal, compress } = frame;
      const mark = frame.isContinuation() ? 0 : rsv;
      callback(null, new WsFrame(opcode, payload, { isFinal, rsv: mark, compress }));
    },
  });
}
