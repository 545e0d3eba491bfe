/**
 * Three server processes that share a topic over a broker, with members on each; all three publish, and the broker is
 * killed in the middle and comes back. `npm run test:brokers -- --messages 100000` is the full size.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { WsConnection } from '../../lib/connection/ws-connection.ts';
import { connect } from '../../lib/endpoint/client/connect.ts';
import { startBroker } from '../support/brokers.ts';

const MESSAGES = Number(process.env.WSPIPE_MESSAGES ?? 6000);
const MEMBERS = 300;
const SERVERS = 3;
const EACH = Math.floor(MESSAGES / SERVERS);
const WAIT = { timeout: 20_000 + 5 * MESSAGES, interval: 20 };

type Kind = 'redis' | 'nats' | 'streams';

interface Told {
  readonly told: string;
  readonly port?: number;
  readonly published?: number;
  readonly what?: string;
  readonly stats?: {
    readonly lost: number;
    readonly duplicates: number;
    readonly members: number;
    readonly dropped: number;
  };
}

/** A server in a process of its own. */
class Server {
  readonly number: number;
  readonly told: Told[] = [];
  /** Of its own messages, as far as it has told. */
  published = 0;
  readonly #child: ChildProcess;

  constructor(number: number, kind: Kind, url: string) {
    this.number = number;
    const script = new URL('./server-process.js', import.meta.url);
    this.#child = fork(script, [JSON.stringify({ kind, url, number })], { stdio: 'inherit' });
    this.#child.on('message', (message: Told) => {
      if (message.told === 'progress') this.published = message.published ?? 0;
      else this.told.push(message);
    });
    onTestFinished(async () => {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
      const ended = once(this.#child, 'close');
      this.#child.kill('SIGKILL');
      await ended;
    });
  }

  command(command: string, range: { from?: number; to?: number } = {}): void {
    this.#child.send({ command, ...range });
  }

  /** Takes what was told first of this kind. */
  async wait(kind: string): Promise<Told> {
    return vi.waitFor(() => {
      const index = this.told.findIndex(({ told }) => told === kind);
      if (index < 0) throw new Error(`server ${this.number} has not told of ${kind}: ${JSON.stringify(this.told)}`);
      return this.told.splice(index, 1)[0]!;
    }, WAIT);
  }

  async end(): Promise<void> {
    const ended = once(this.#child, 'close');
    this.command('end');
    expect(await ended).toEqual([0, null]);
  }
}

/** A member, which judges the order of what it is sent. */
class Member {
  readonly server: number;
  readonly counts: number[] = [0, 0, 0];
  readonly #last: number[] = [0, 0, 0];
  readonly isDone: Promise<void>;

  constructor(server: number, connection: WsConnection) {
    this.server = server;
    this.isDone = this.#read(connection);
  }

  async #read(connection: WsConnection): Promise<void> {
    for await (const frame of connection) {
      const text = frame.payloadText();
      const [publisher, n] = [Number(text[0]), Number(text.slice(2))];
      if (n <= this.#last[publisher]!) throw new Error(`${text} came behind ${this.#last[publisher]}`);
      this.#last[publisher] = n;
      this.counts[publisher]! += 1;
      if (n > EACH && this.#last.every((last) => last > EACH)) break;
    }
    // One that was cut has not heard the last word of everybody.
    expect(this.#last).toEqual([EACH + 1, EACH + 1, EACH + 1]);
    await connection.close();
  }

  /** Messages that it was not sent, of all that were published. */
  get missed(): number {
    return SERVERS * (EACH + 1) - this.counts.reduce((sum, count) => sum + count, 0);
  }
}

async function addMembers(servers: readonly Server[]): Promise<Member[]> {
  const ports = await Promise.all(servers.map(async (server) => (await server.wait('listening')).port!));
  const members: Member[] = [];
  for (let i = 0; i < MEMBERS; i++) {
    const connection = await connect(`ws://127.0.0.1:${ports[i % SERVERS]}`);
    members.push(new Member(i % SERVERS, connection));
  }
  return members;
}

const published = (servers: readonly Server[]): number => servers.reduce((sum, server) => sum + server.published, 0);

describe('three servers over a broker that is killed and comes back', () => {
  it.each<Kind>(['redis', 'nats', 'streams'])('%s', { timeout: 900_000 }, async (kind) => {
    const broker = await startBroker(kind === 'streams' ? 'redis' : kind);
    const servers = Array.from({ length: SERVERS }, (_, number) => new Server(number, kind, broker.url));
    const members = await addMembers(servers);
    const began = performance.now();
    const publish = (from: number, to: number): void => {
      for (const server of servers)
        server.command('publish', { from: Math.floor(from * EACH) + 1, to: Math.floor(to * EACH) });
    };
    const all = (kind: string): Promise<unknown> => Promise.all(servers.map((server) => server.wait(kind)));
    await all('restored');
    publish(0, 0.6);
    await vi.waitFor(() => expect(published(servers)).toBeGreaterThan(0.3 * MESSAGES), WAIT);
    await broker.kill();
    await all('disconnected');
    // With history nobody gets anything before the log has it. Without, members here get what is published here.
    if (kind !== 'streams') await all('published');
    publish(0.6, 0.7);
    if (kind !== 'streams') await all('published');
    await broker.start();
    await all('restored');
    if (kind === 'streams') for (let i = 0; i < 2; i++) await all('published');
    publish(0.7, 1);
    await all('published');
    // The last word of each, so that everybody hears of everybody again.
    for (const server of servers) server.command('publish', { from: EACH + 1, to: EACH + 1 });
    await Promise.all(members.map(({ isDone }) => isDone));
    const seconds = (performance.now() - began) / 1000;

    const lost: number[] = [];
    for (const server of servers) {
      server.command('stats');
      const { stats } = await server.wait('stats');
      const missed = members.filter((member) => member.server === server.number).map((member) => member.missed);
      // All members of one server have missed the same, and the server has counted exactly that.
      expect(new Set(missed)).toEqual(new Set([stats!.lost]));
      expect(stats!.dropped).toBe(0);
      expect(server.told.filter(({ what }) => what !== undefined)).toEqual([]);
      lost.push(stats!.lost);
    }
    if (kind === 'streams') expect(lost).toEqual([0, 0, 0]);
    const rate = Math.round((MEMBERS * MESSAGES) / seconds).toLocaleString('en');
    console.log(`${kind}: ${MESSAGES} messages, ${rate} deliveries/s, lost at each server: ${lost.join(', ')}`);
    await Promise.all(servers.map((server) => server.end()));
  });
});
