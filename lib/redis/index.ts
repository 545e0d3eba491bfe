/**
 * `wspipe/redis`: topics that span processes over Redis.
 */
export { type RedisBackplaneOptions, redisBackplane } from './redis-backplane.ts';
export type { RedisClientSource } from './redis-client.ts';
