/**
 * `wspipe/nats`: topics that span processes over NATS.
 */
export { type NatsBackplaneOptions, natsBackplane } from './nats-backplane.ts';
export type { NatsConnection, NatsListener } from './nats-connection.ts';
