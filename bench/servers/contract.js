// What every server of the benchmark is told, and what it tells. It runs on Node, Bun and Deno alike.
//
//   <runtime> servers/<peer>.js <job> <compression>
//
// It prints its port. A line on its standard input asks it to collect garbage; the end of its input is its own end, so
// that no server outlives the run.
import { Buffer } from 'node:buffer';
import process from 'node:process';

/** echo, upload, download or fan-out. */
export const job = process.argv[2] ?? 'echo';
/** none, takeover or no-takeover. */
export const compression = process.argv[3] ?? 'none';

/** Raised alike for all, so that 64 MiB fit. */
export const MAX_MESSAGE_BYTES = 2 ** 27;
/** The frames of upload and download. */
export const BLOCK_BYTES = 65_536;
/** How many uploaded blocks are acknowledged by one message, and how many one request downloads. */
export const BLOCKS_PER_TURN = 16;
export const ACKNOWLEDGEMENT = Buffer.from('received');
export const BLOCK = Buffer.alloc(
  BLOCK_BYTES,
  Uint8Array.from({ length: 256 }, (_, index) => index),
);
/** The level of zlib that all peers compress with where they let us choose. */
export const DEFLATE_LEVEL = 6;

/** Calls `acknowledge` for every sixteenth block; each one's length is checked, and the sixteenth byte by byte. */
export function createUploadCounter(acknowledge) {
  let blocks = 0;
  return (data) => {
    if (data.byteLength !== BLOCK_BYTES) throw new Error(`a block of ${data.byteLength} bytes`);
    if (++blocks % BLOCKS_PER_TURN !== 0) return;
    const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : data;
    if (BLOCK.compare(bytes) !== 0) throw new Error('what came is not what was uploaded');
    acknowledge();
  };
}

/** Calls `send` sixteen times. */
export function sendBlocks(send) {
  for (let block = 0; block < BLOCKS_PER_TURN; block++) send(BLOCK);
}

/** Says that this server cannot run here, and why. */
export function refuseToStart(reason) {
  console.log(`unavailable ${reason}`);
  process.exit(0);
}

export function announce(port) {
  console.log(`port ${port}`);
  process.stdin.on('data', () => {
    collectGarbage();
    console.log('collected');
  });
  process.stdin.on('end', () => process.exit(0));
}

function collectGarbage() {
  if (globalThis.Bun !== undefined) globalThis.Bun.gc(true);
  else globalThis.gc?.();
}
