import { expect, it } from 'vitest';
import { loadPackage } from '../../../lib/fanout/backplane/peer-package.ts';

it('loads a package that is there', async () => {
  expect(await loadPackage('fast-check')).toHaveProperty('property');
});

it('says which package is missing, and how to come by it', async () => {
  await expect(loadPackage('wspipe-is-not-here')).rejects.toMatchObject({
    code: 'WS_ERR_PACKAGE_MISSING',
    message: expect.stringContaining('npm install wspipe-is-not-here'),
    cause: expect.any(Error),
  });
});
