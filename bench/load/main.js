// The load generator: a process that gets one job, answers with what it measured, and ends.
import { download, upload } from './blocks.js';
import { compressedEcho, compressedIdleMemory } from './compressed.js';
import { connects } from './connects.js';
import { echo } from './echo.js';
import { compressedFanOut, fanOut } from './fan-out.js';
import { idleMemory } from './idle-memory.js';
import { replyToClients } from './replies-to-clients.js';

const KINDS = {
  echo,
  'compressed-echo': compressedEcho,
  upload,
  download,
  'fan-out': fanOut,
  'compressed-fan-out': compressedFanOut,
  connects,
  'idle-memory': idleMemory,
  'compressed-idle-memory': compressedIdleMemory,
  client: replyToClients,
};

const nextMessage = () => new Promise((resolve) => process.once('message', resolve));

async function ask(question) {
  process.send(question);
  return nextMessage();
}

/** The conductor holds the measured process. */
const conductor = {
  collectGarbage: () => ask({ ask: 'collectGarbage' }),
  startClient: (port) => ask({ ask: 'startClient', port }),
};

function fail(error) {
  const { stack, name, message } = error;
  process.send({ error: { name, message, stack } }, () => process.exit(1));
}

process.on('disconnect', () => process.exit(1));
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);

const job = await nextMessage();
const result = await KINDS[job.kind](job, conductor);
process.send({ result }, () => process.exit(0));
