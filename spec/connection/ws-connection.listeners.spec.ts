/** What an application's listener throws is an uncaught exception, as with any emitter; and it breaks nothing of ours. */
import { describe, expect, it, vi } from 'vitest';
import type { WsConnection } from '../../lib/connection/ws-connection.ts';
import type { WsFrame } from '../../lib/protocol/frame.ts';
import { boundServer, linked } from '../support/endpoints.ts';
import { collectUncaught } from '../support/uncaught.ts';

const COMPRESSION = [
  ['without compression', false],
  ['with compression', { thresholdBytes: 0 }],
] as const;

async function pair(perMessageDeflate: false | { thresholdBytes: number }): Promise<[WsConnection, WsConnection]> {
  const server = await boundServer({ perMessageDeflate });
  const { client, ours } = await linked(server);
  return [client, ours];
}

describe.each(COMPRESSION)('a listener that throws (%s)', (_, perMessageDeflate) => {
  it.each([0, 1])("of 'data' is heard of, and gets every message all the same (side %i)", async (side) => {
    const uncaught = collectUncaught();
    const ends = await pair(perMessageDeflate);
    const [reader, writer] = side === 0 ? ends : ([...ends].reverse() as typeof ends);
    const seen: string[] = [];
    reader.on('data', (frame: WsFrame) => {
      seen.push(frame.payloadText());
      throw new Error(`of ${seen.length}`);
    });
    // The first five come in one chunk.
    for (const text of ['1', '2', '3', '4', '5']) writer.write(text);
    await vi.waitFor(() => expect(seen).toHaveLength(5));
    await writer.sendText('6');
    await writer.sendText('x'.repeat(200_000));
    await vi.waitFor(() => expect(seen).toHaveLength(7));
    expect(seen.slice(0, 6)).toEqual(['1', '2', '3', '4', '5', '6']);
    expect(await writer.close()).toMatchObject({ code: 1000, wasClean: true });
    expect(await reader.closeInfo).toMatchObject({ code: 1000, wasClean: true });
    expect(uncaught.map(String)).toEqual(seen.map((_text, index) => `Error: of ${index + 1}`));
  });

  it.each(['end', 'finish', 'close'])("of '%s' is heard of, and the connection is over", async (event) => {
    const uncaught = collectUncaught();
    const [client, server] = await pair(perMessageDeflate);
    server.on(event, () => {
      throw new Error(event);
    });
    server.resume();
    await client.sendText('a');
    expect(await client.close()).toMatchObject({ wasClean: true });
    expect(await server.closeInfo).toMatchObject({ wasClean: true });
    await vi.waitFor(() => expect(uncaught.map(String)).toEqual([`Error: ${event}`]));
  });
});
