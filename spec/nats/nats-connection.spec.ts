import { expect, it } from 'vitest';
import { createNatsConnect } from '../../lib/nats/nats-connection.ts';

it('says which package is missing', async () => {
  // It is beside the specs of brokers, and not beside the library.
  await expect(createNatsConnect('nats://localhost')).rejects.toMatchObject({
    code: 'WS_ERR_PACKAGE_MISSING',
    message: expect.stringContaining('npm install @nats-io/transport-node'),
  });
});
