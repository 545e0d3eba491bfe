import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { FrameDuplex, type WsConnectionEvents } from '../../../lib/connection/faces/frame-duplex.ts';
import { createPair } from '../../../lib/endpoint/pair.ts';
import { WsFrame } from '../../../lib/protocol/frame.ts';

describe('FrameDuplex', () => {
  it("is Node's own class", () => {
    expect(FrameDuplex).toBe(Duplex);
  });

  it('says what the events of a connection carry', async () => {
    const { client, server } = createPair();
    const told: Partial<Record<keyof WsConnectionEvents, readonly unknown[]>> = {};
    for (const name of ['data', 'end', 'finish', 'error', 'close'] as const) {
      server.on(name, (...args: readonly unknown[]) => {
        told[name] = args;
      });
    }
    const texts: string[] = [];
    server.on('data', (frame) => texts.push(frame.payloadText()));
    await client.sendText('one');
    await client.close();
    await new Promise((resolve) => server.once('close', resolve));
    expect(told).toEqual({ data: [expect.any(WsFrame)], end: [], finish: [], close: [] });
    expect(texts).toEqual(['one']);
  });
});
