// What every client of the benchmark is told and does. It runs on Node, Bun and Deno alike.
//
//   <runtime> clients/<peer>.js <port> <connections> <in flight> <bytes>
import process from 'node:process';
import { announce, BLOCK } from '../servers/contract.js';

const [port, connections, inFlight, bytes] = process.argv.slice(2).map(Number);
const CHECKED_EVERY = 1024;

/** What every message holds, in both directions. */
export const message = BLOCK.subarray(0, bytes);
export { inFlight };

/** Throws when a reply is not as long as it should be, and now and then when it is not what it should be. */
function createCheck() {
  let replies = 0;
  return (data) => {
    if (data.byteLength !== bytes) throw new Error(`a reply of ${data.byteLength} bytes`);
    if (replies++ % CHECKED_EVERY !== 0) return;
    if (message.compare(data instanceof ArrayBuffer ? new Uint8Array(data) : data) !== 0) {
      throw new Error('a reply of other bytes');
    }
  };
}

/**
 * Opens the connections and keeps so many messages on their way on each.
 *
 * @param open takes the address and what to call with the bytes of each reply; resolves with a function that sends
 */
export async function run(open) {
  const one = async () => {
    const check = createCheck();
    const send = await open(`ws://127.0.0.1:${port}/`, (data) => {
      check(data);
      send(message);
    });
    for (let index = 0; index < inFlight; index++) send(message);
  };
  await Promise.all(Array.from({ length: connections }, one));
  announce(0);
}
