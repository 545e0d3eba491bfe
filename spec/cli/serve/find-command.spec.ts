import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { explainMissing } from '../../../lib/cli/serve/find-command.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wspipe-find-'));
  await mkdir(join(folder, 'empty'));
  await mkdir(join(folder, 'bin', 'directory'), { recursive: true });
  await writeFile(join(folder, 'bin', 'command'), '', { mode: 0o755 });
  await writeFile(join(folder, 'bin', 'text'), '', { mode: 0o644 });
});

afterAll(() => rm(folder, { recursive: true }));

describe('explainMissing', () => {
  const path = (...names: string[]): string => names.map((name) => join(folder, name)).join(delimiter);

  it('has nothing to say of a command that is there, by its path or on the PATH', async () => {
    expect(await explainMissing(path('bin/command'), undefined)).toBeUndefined();
    expect(await explainMissing('command', path('none', 'empty', 'bin'))).toBeUndefined();
  });

  it.each([
    ['none', 'there is no such file.'],
    ['bin/command/x', 'there is no such file.'],
    ['bin/directory', 'and no command.'],
  ])('says what is wrong with the path %s', async (name, words) => {
    expect(await explainMissing(path(name), path('bin'))).toMatch(new RegExp(`^${path(name)}.*${words}$`));
  });

  it('says that a file may not be executed', async () => {
    expect(await explainMissing(path('bin/text'), '')).toBe(`${path('bin/text')} may not be executed.`);
  });

  it('says that nothing on the PATH has that name', async () => {
    const problem = await explainMissing('command', path('none', 'empty'));
    expect(problem).toBe('command: there is no such command on the PATH.');
    expect(await explainMissing('directory', path('bin'))).toBe('directory: there is no such command on the PATH.');
  });

  it('does not guess where the system looks without a PATH', async () => {
    expect(await explainMissing('command', undefined)).toBeUndefined();
  });
});
