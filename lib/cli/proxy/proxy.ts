/**
 * `wspipe proxy`: listens, makes a connection to the far side for each that comes to the near one, and joins the two.
 *
 * ```
 *  --listen ws://  ─▶ joinSocket      ─▶ --to tcp://
 *  --listen ws://  ─▶ joinConnections ─▶ --to ws://
 *  --listen tcp:// ─▶ joinSocket      ─▶ --to ws://
 * ```
 */
import type { AddressInfo, Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { WsConnection } from '../../connection/ws-connection.ts';
import { WS_CLOSE_BAD_GATEWAY, WS_CLOSE_GOING_AWAY } from '../../protocol/close-code.ts';
import { createDialer, type Dialer } from '../dial.ts';
import { explainDialFailure } from '../dial-failure.ts';
import { EXIT_DONE, EXIT_FAILED, EXIT_OF_SIGNAL } from '../exit-code.ts';
import { explainListenFailure } from '../listen-failure.ts';
import { listUrls } from '../listen-urls.ts';
import { waitForStop } from '../stop.ts';
import { complain, createPaint, type Terminal } from '../terminal.ts';
import { dialTcp } from './dial-tcp.ts';
import { joinConnections } from './join-connections.ts';
import { joinSocket } from './join-socket.ts';
import { type Listener, listenForConnections, listenForSockets } from './listener.ts';
import type { Address, ProxyOptions } from './proxy-arguments.ts';

/**
 * Runs until SIGINT or SIGTERM; the second one ends everything at once.
 *
 * @returns the exit code: 0 after a stop, 1 where it could not start
 */
export async function runProxyCommand(options: ProxyOptions, terminal: Terminal): Promise<number> {
  const { target, listen } = options;
  const links = new Set<Promise<void>>();
  const say = (problem: string): void => complain(terminal, problem);
  const follow = (link: Promise<void>): void => {
    links.add(link);
    void link.then(() => links.delete(link));
  };
  if (target.protocol === 'ws' && !target.dial.isChecked) {
    say('warning: --insecure. Whoever is in between can read and change everything.');
  }
  let listener: Listener;
  try {
    listener = await open(options, follow, say);
  } catch (error) {
    const isFile = (error as NodeJS.ErrnoException).path !== undefined;
    say(isFile ? (error as Error).message : explainListenFailure(error, describeListen(listen)));
    return EXIT_FAILED;
  }
  const stop = waitForStop(terminal);
  welcome(listener, options, terminal);
  await stop.isAsked;
  stop.release();
  const again = waitForStop(terminal);
  const signal = await Promise.race([again.isAsked, listener.close().then(() => settle(links))]);
  again.release();
  if (signal === undefined) return EXIT_DONE;
  listener.drop();
  return EXIT_OF_SIGNAL[signal];
}

/** Waits for all links, also for those that begin meanwhile. */
async function settle(links: ReadonlySet<Promise<void>>): Promise<undefined> {
  while (links.size > 0) await Promise.all(links);
}

async function open(
  { listen, target, allowedOrigins, maxConnections }: ProxyOptions,
  follow: (link: Promise<void>) => void,
  say: (problem: string) => void,
): Promise<Listener> {
  const limits = { maxConnections, allowedOrigins };
  if (target.protocol === 'tcp') {
    const { address } = target;
    return listenForConnections(listen, limits, (near) => follow(leadToTcp(near, address, say)));
  }
  const { url, protocols } = target.dial;
  const dialer = await createDialer(target.dial);
  if (listen.protocol === 'ws') {
    const lead = (near: WsConnection): void => follow(leadToServer(near, dialer, url, say));
    return listenForConnections(listen, { ...limits, protocols }, lead);
  }
  return listenForSockets(listen, limits, (near) => follow(leadSocketToServer(near, dialer, url, say)));
}

async function leadToTcp(near: WsConnection, address: Address, say: (problem: string) => void): Promise<void> {
  let far: Socket;
  try {
    far = await dialTcp(address);
  } catch (error) {
    say(explainDialFailure(error, `tcp://${address.host}:${address.port}`));
    await near.close(WS_CLOSE_BAD_GATEWAY, 'the TCP server cannot be reached');
    return;
  }
  await joinSocket(near, far, WS_CLOSE_BAD_GATEWAY);
}

async function leadToServer(
  near: WsConnection,
  dialer: Dialer,
  url: string,
  say: (problem: string) => void,
): Promise<void> {
  let far: WsConnection;
  try {
    // What was agreed on with the near side is what is asked of the far one.
    far = await dialer.dial({ protocols: near.protocol === '' ? [] : [near.protocol] });
  } catch (error) {
    say(explainDialFailure(error, url));
    await near.close(WS_CLOSE_BAD_GATEWAY, 'the server cannot be reached');
    return;
  }
  await joinConnections(near, far);
}

async function leadSocketToServer(
  near: Socket,
  dialer: Dialer,
  url: string,
  say: (problem: string) => void,
): Promise<void> {
  let far: WsConnection;
  try {
    far = await dialer.dial();
  } catch (error) {
    say(explainDialFailure(error, url));
    near.resetAndDestroy();
    return;
  }
  await joinSocket(far, near, WS_CLOSE_GOING_AWAY);
}

function welcome({ address }: Listener, { listen, target }: ProxyOptions, { stdout }: Terminal): void {
  const { dim, link } = createPaint(stdout);
  const urls = listUrls(listen.protocol, listen.host, address as AddressInfo, networkInterfaces());
  const to = target.protocol === 'ws' ? target.dial.url : `tcp://${target.address.host}:${target.address.port}`;
  stdout.write(`${urls.map((url) => `${link(url)}\n`).join('')}${dim('leads to')} ${link(to)}\n`);
}

function describeListen({ protocol, host, port }: ProxyOptions['listen']): Parameters<typeof explainListenFailure>[1] {
  const scheme = protocol === 'tcp' ? 'tcp://' : '';
  return {
    host,
    port,
    withPort: (other) => `--listen ${scheme}${host.includes(':') ? `[${host}]` : host}:${other}`,
    withHost: (other) => `--listen ${scheme}${other}:${port}`,
  };
}
