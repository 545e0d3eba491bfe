import { expect, it } from 'vitest';
import { createRedisClient, isRefusal } from '../../lib/redis/redis-client.ts';

it.each([
  ['WRONGTYPE Operation against a key', true],
  ['NOPERM this user has no permissions', true],
  ['ERR value is not an integer', true],
  ['LOADING Redis is loading the dataset in memory', false],
  ['OOM command not allowed', false],
  ['READONLY You can not write against a read only replica', false],
  ['Socket closed unexpectedly', false],
  ['The client is closed', false],
  ['read ECONNRESET', false],
])('tells a refusal for good: %s', (message, expected) => {
  expect(isRefusal(new Error(message))).toBe(expected);
});

it('takes no other value for a refusal', () => {
  expect(isRefusal('WRONGTYPE')).toBe(false);
});

it('says which package is missing', async () => {
  // It is beside the specs of brokers, and not beside the library.
  await expect(createRedisClient('redis://localhost')).rejects.toMatchObject({
    code: 'WS_ERR_PACKAGE_MISSING',
    message: expect.stringContaining('npm install redis'),
  });
});
