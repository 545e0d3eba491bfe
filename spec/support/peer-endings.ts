/** How a peer ends a connection in a legal way, once the close frames are due. */
import { expect } from 'vitest';
import type { NaivePeer } from './naive-peer.ts';

/** Ends the transport as each role should (§7.1.1): the server first, the client behind it. */
export async function endTransport(peer: NaivePeer): Promise<void> {
  if (peer.role === 'server') peer.fin();
  expect(await peer.rest()).toEqual([]);
  peer.fin();
}

/** The peer answers our close and ends. */
export async function answerClose(peer: NaivePeer): Promise<void> {
  expect((await peer.find(8))?.opcode).toBe(8);
  peer.close(1000);
  peer.fin();
}
