// One round of one peer: start it, load it, stop it.
import { SERVERS } from './peers.js';
import { runLoad, startPeer } from './start-process.js';

const LIMIT_MS = 180_000;

export async function measure(peerName, workload, { node, nodeFlags, warmUpMs, windowMs, settleMs }) {
  const peer = SERVERS[peerName];
  const command = [...peer.start({ node, nodeFlags }), peer.file, workload.server, workload.compression ?? 'none'];
  const server = await startPeer(command, peer.env);
  const { pid, port, collectGarbage } = server;
  const { isRaw = false, isBare = false } = peer;
  try {
    const job = { ...workload, pid, port, isRaw, isBare, warmUpMs, windowMs, settleMs };
    return await runLoad(job, { collectGarbage, limitMs: LIMIT_MS });
  } catch (error) {
    throw new Error(`${error.message}\n${server.complaint()}`.trim());
  } finally {
    await server.stop();
  }
}
