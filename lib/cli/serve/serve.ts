/** `wspipe serve`: listens, gives each connection its process, and ends them all when it is told to. */
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { WsConnection } from '../../connection/ws-connection.ts';
import { WsServer } from '../../endpoint/server/ws-server.ts';
import { refuse } from '../../endpoint/upgrade/refusal.ts';
import { WS_CLOSE_GOING_AWAY, WS_CLOSE_TRY_AGAIN_LATER } from '../../protocol/close-code.ts';
import { guardOrigins } from '../allowed-origins.ts';
import { EXIT_DONE, EXIT_FAILED, EXIT_OF_SIGNAL } from '../exit-code.ts';
import { explainListenFailure } from '../listen-failure.ts';
import { listUrls } from '../listen-urls.ts';
import { waitForStop } from '../stop.ts';
import { complain, createPaint, type Terminal } from '../terminal.ts';
import { explainMissing } from './find-command.ts';
import { ProcessBridge } from './process-bridge.ts';
import { createEnvironment } from './process-environment.ts';
import type { ServeOptions } from './serve-arguments.ts';

/**
 * Runs until SIGINT or SIGTERM; the second one ends everything at once.
 *
 * @returns the exit code: 0 after a stop, 1 where it could not start
 */
export async function runServeCommand(options: ServeOptions, terminal: Terminal): Promise<number> {
  const problem = await explainMissing(options.command, terminal.env.PATH);
  if (problem !== undefined) {
    complain(terminal, problem);
    return EXIT_FAILED;
  }
  const bridges = new Map<ProcessBridge, Promise<void>>();
  let server: WsServer;
  try {
    server = await bind(options, () => bridges.size >= options.maxProcesses);
  } catch (error) {
    complain(terminal, explainListenFailure(error, describeListen(options)));
    return EXIT_FAILED;
  }
  const stop = waitForStop(terminal);
  server.on('connection', (conn) => {
    // A process may outlive its connection by the time of grace.
    if (bridges.size >= options.maxProcesses) void conn.close(WS_CLOSE_TRY_AGAIN_LATER, 'too many processes');
    else startBridge(conn, options, terminal, bridges);
  });
  welcome(server, options, terminal);
  await stop.isAsked;
  stop.release();
  const again = waitForStop(terminal);
  const signal = await Promise.race([again.isAsked, endAll(server, bridges)]);
  again.release();
  if (signal === undefined) return EXIT_DONE;
  for (const bridge of bridges.keys()) bridge.kill();
  server.drop();
  return EXIT_OF_SIGNAL[signal];
}

function bind({ host, port, maxProcesses, allowedOrigins }: ServeOptions, isFull: () => boolean): Promise<WsServer> {
  const guard = guardOrigins(allowedOrigins, host);
  return WsServer.bind(
    { host, port },
    {
      ...guard,
      authorize: (request) => (isFull() ? refuse(503) : guard.authorize?.(request)),
      maxConnections: maxProcesses,
    },
  );
}

function startBridge(
  conn: WsConnection,
  options: ServeOptions,
  terminal: Terminal,
  bridges: Map<ProcessBridge, Promise<void>>,
): void {
  const say = (problem: string): void => complain(terminal, `${options.command}: ${problem}`);
  const env = createEnvironment(terminal.env, conn.request!, conn.protocol);
  let bridge: ProcessBridge;
  try {
    bridge = new ProcessBridge(conn, { ...options, env });
  } catch (error) {
    say((error as Error).message);
    void conn.close(WS_CLOSE_TRY_AGAIN_LATER, 'no room for another process');
    return;
  }
  const running = bridge.run().then((problem) => {
    bridges.delete(bridge);
    if (problem !== undefined) say(problem);
  });
  bridges.set(bridge, running);
}

async function endAll(server: WsServer, bridges: ReadonlyMap<ProcessBridge, Promise<void>>): Promise<undefined> {
  await server.close({ code: WS_CLOSE_GOING_AWAY, reason: 'the server stops' });
  for (const bridge of bridges.keys()) bridge.terminate();
  await Promise.all(bridges.values());
}

function welcome(server: WsServer, { host, command, args }: ServeOptions, { stdout }: Terminal): void {
  const { bold, dim, link } = createPaint(stdout);
  const urls = listUrls('ws', host, server.address() as AddressInfo, networkInterfaces());
  const words = [command, ...args].join(' ');
  stdout.write(`${urls.map((url) => `${link(url)}\n`).join('')}${dim('each connection runs')} ${bold(words)}\n`);
}

function describeListen({ host, port }: ServeOptions): Parameters<typeof explainListenFailure>[1] {
  return {
    host,
    port,
    withPort: (other) => `wspipe serve --port ${other}`,
    withHost: (other) => `wspipe serve --host ${other}`,
  };
}
