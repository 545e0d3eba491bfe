import { describe, expect, it } from 'vitest';
import { FrameIterator } from '../../../lib/connection/reading/frame-iterator.ts';
import { MessageIterator } from '../../../lib/connection/reading/message-iterator.ts';
import { OutgoingMessage } from '../../../lib/connection/writing/outgoing-message.ts';
import { meet, turns } from '../../support/naive-peer.ts';

describe('each further way', () => {
  it('is what it is named for, and locks the reading side where it reads', async () => {
    const { conn } = await meet('server');
    const messages = conn.messages();
    expect(messages).toBeInstanceOf(MessageIterator);
    await messages.return();
    const fragments = conn.fragments();
    expect(fragments).toBeInstanceOf(FrameIterator);
    expect(() => conn.messages()).toThrow(expect.objectContaining({ code: 'WS_ERR_LOCKED' }));
    await fragments.return();
    expect(conn.createMessage('text')).toBeInstanceOf(OutgoingMessage);
    const web = conn.toWeb();
    expect([web.readable, web.writable]).toEqual([expect.any(ReadableStream), expect.any(WritableStream)]);
    conn.forceClose();
    await turns();
  });

  it('judges the limit of a message, and reads nothing behind one that is too large (§10.4)', async () => {
    for (const way of ['messages', 'fragments'] as const) {
      const { conn, peer } = await meet('server');
      peer.raw(Buffer.concat([peer.encode(2, new Uint8Array(11)), peer.encode(1, 'small')]));
      await turns();
      const pieces = conn[way]({ maxMessageBytes: 10 });
      expect((await pieces.next()).done).toBe(true);
      expect((await peer.next())?.payload.readUInt16BE()).toBe(1009);
      peer.fin();
      expect(await conn.closeInfo).toMatchObject({ code: 1009 });
    }
  });
});
