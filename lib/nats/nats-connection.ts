/**
 * The little of the npm package `@nats-io/transport-node` that is used here, by its shape: whoever does not use NATS
 * needs no types of it.
 */
import { loadPackage } from '../fanout/backplane/peer-package.ts';

/** A connection to NATS, as `connect` of `@nats-io/transport-node` gives it. */
export interface NatsConnection {
  readonly info?: { readonly max_payload: number } | undefined;
  isClosed(): boolean;
  publish(subject: string, payload: Uint8Array): void;
  subscribe(subject: string, options: { callback: NatsListener }): { unsubscribe(): void };
  flush(): Promise<void>;
  status(): AsyncIterable<{ readonly type: string }>;
  closed(): Promise<unknown>;
  close(): Promise<void>;
}

/** Is given what was published on a subject, or why nothing will come. */
export type NatsListener = (error: Error | null, message: { readonly data: Uint8Array }) => void;

/** Connects once. */
export type NatsConnect = () => Promise<NatsConnection>;

/** Gives a function that connects to one of these servers, and has the connection come back whenever it is lost. */
export async function createNatsConnect(servers: string | readonly string[]): Promise<NatsConnect> {
  const { connect } = await loadPackage('@nats-io/transport-node');
  // A broker that has gone silent is away: two pings may be without an answer.
  const options = { servers, noEcho: true, maxReconnectAttempts: -1, reconnectTimeWait: 250, pingInterval: 10_000 };
  return () => (connect as (options: object) => Promise<NatsConnection>)({ ...options });
}
