/** Connections of which the test decides when their peer reads. */
import { onTestFinished } from 'vitest';
import { WsConnection } from '../../lib/connection/ws-connection.ts';
import type { ConnectionOptions } from '../../lib/options.ts';
import { WsFrame } from '../../lib/protocol/frame.ts';
import { turns } from './endpoints.ts';
import { memoryPair } from './sockets.ts';

/** A connection in memory whose peer does not read yet. */
export interface IdleLink {
  readonly ours: WsConnection;
  /** Sends until there is no room for more. */
  stall(): void;
  /** Lets the peer read from now on. */
  startReading(): WsConnection;
  /** Lets the peer read, and gives the next texts that come; fewer where the connection ends. */
  texts(count: number): Promise<string[]>;
}

/** Makes one. Its peer's end holds 1 KiB. */
export function idleLink(options: ConnectionOptions = {}, side: 'server' | 'client' = 'server'): IdleLink {
  const pair = memoryPair({ highWaterMark: 1024 });
  const isServer = side === 'server';
  const ours = isServer ? WsConnection.fromServer(pair.server, options) : WsConnection.fromClient(pair.client, options);
  let peer: WsConnection | undefined;
  onTestFinished(() => ours.forceClose());
  const startReading = (): WsConnection => {
    peer ??= isServer ? WsConnection.fromClient(pair.client) : WsConnection.fromServer(pair.server);
    return peer;
  };
  const texts = async (count: number): Promise<string[]> => {
    const found: string[] = [];
    while (found.length < count) {
      const frame = await startReading().recvFrame();
      if (frame === null) break;
      if (frame.isText()) found.push(frame.payloadText());
    }
    return found;
  };
  return { ours, stall: () => stall(ours), startReading, texts };
}

const FILLER = WsFrame.binary(new Uint8Array(8192));

/** Sends over a real socket until neither the connection nor the system takes more. */
export async function stallForGood(connection: WsConnection): Promise<void> {
  for (let isStuck = false; !isStuck; ) {
    let sent = connection.sendAtOnce(FILLER);
    while (typeof sent === 'number') sent = connection.sendAtOnce(FILLER);
    isStuck = true;
    void sent.then(() => {
      isStuck = false;
    });
    await turns(20);
  }
}

function stall(connection: WsConnection): void {
  while (typeof connection.sendAtOnce(FILLER) === 'number');
}
