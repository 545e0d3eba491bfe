// The options of both wspipe servers.
import { compression, DEFLATE_LEVEL, MAX_MESSAGE_BYTES } from './contract.js';

const perMessageDeflate = compression !== 'none' && {
  serverNoContextTakeover: compression === 'no-takeover',
  clientNoContextTakeover: compression === 'no-takeover',
  level: DEFLATE_LEVEL,
  thresholdBytes: 0,
};

export const serverOptions = {
  // It stays on, but no ping comes between the replies that the load generator has foretold, however long it takes.
  heartbeat: { intervalMs: 600_000, timeoutMs: 600_000 },
  maxMessageBytes: MAX_MESSAGE_BYTES,
  ...(perMessageDeflate && { perMessageDeflate }),
};
