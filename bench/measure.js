// One round of one peer: start it, load it, stop it.
import { peersOf } from './peers.js';
import { runAlone, runLoad, startPeer } from './start-process.js';

const LIMIT_MS = 180_000;

/** What the measured process had to say usually tells more. */
function withComplaint(error, peer) {
  if (peer !== undefined && peer.complaint !== '') error.message += `\n${peer.complaint}`;
  return error;
}

async function measureServer(peer, workload, options) {
  const command = [...peer.command(options), workload.server, workload.compression ?? 'none'];
  const server = await startPeer(command, peer.env);
  const { pid, port } = server;
  const { isRaw, isBare } = peer;
  try {
    const answers = { collectGarbage: () => server.collectGarbage() };
    return await runLoad({ ...workload, ...options.timing, pid, port, isRaw, isBare }, answers, LIMIT_MS);
  } catch (error) {
    throw withComplaint(error, server);
  } finally {
    await server.stop();
  }
}

/** The load generator listens first, and then asks for the client. */
async function measureClient(peer, workload, options) {
  let client;
  const { connections, inFlight, bytes } = workload;
  async function startClient({ port }) {
    client = await startPeer([...peer.command(options), port, connections, inFlight, bytes].map(String), peer.env);
    return client.pid;
  }
  try {
    return await runLoad({ ...workload, ...options.timing }, { startClient }, LIMIT_MS);
  } catch (error) {
    throw withComplaint(error, client);
  } finally {
    await client?.stop();
  }
}

function measureInProcess(peer, { task, bytes }, options) {
  const { warmUpMs, windowMs } = options.timing;
  const command = [...peer.command(options), task, peer.library, bytes, warmUpMs, windowMs / 2];
  return runAlone(command.map(String), peer.env, LIMIT_MS);
}

const BY_KIND = { client: measureClient, 'in-process': measureInProcess };

export function measure(name, workload, options) {
  const measureKind = BY_KIND[workload.kind] ?? measureServer;
  return measureKind(peersOf(workload)[name], workload, options);
}
