// The load generator: a process that gets one job, answers with what it measured, and ends.
import { connects } from './connects.js';
import { echo } from './echo.js';
import { idleMemory } from './idle-memory.js';

const KINDS = { echo, connects, 'idle-memory': idleMemory };

const nextMessage = () => new Promise((resolve) => process.once('message', resolve));

/** The conductor holds the server's standard input. */
const conductor = {
  async collectGarbage() {
    process.send({ ask: 'collect' });
    await nextMessage();
  },
};

process.on('disconnect', () => process.exit(1));
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);

function fail(error) {
  process.send({ error: error.stack }, () => process.exit(1));
}

const job = await nextMessage();
const result = await KINDS[job.kind](job, conductor);
process.send({ result }, () => process.exit(0));
