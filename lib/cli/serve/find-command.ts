/** Looks for a command before anybody asks for it: a slip in its name is told at the start, and not to the first client. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/**
 * Says why a command cannot be started, as the system would look for it: by its path where it has one, else on the PATH.
 *
 * @returns a sentence for people; `undefined` where it is there, and where that cannot be told
 */
export async function explainMissing(command: string, path: string | undefined): Promise<string | undefined> {
  // Windows adds endings to names, and without a PATH each system has places of its own.
  if (process.platform === 'win32') return undefined;
  if (command.includes('/')) return explainFile(command);
  if (path === undefined) return undefined;
  for (const folder of path.split(delimiter)) {
    if ((await explainFile(join(folder, command))) === undefined) return undefined;
  }
  return `${command}: there is no such command on the PATH.`;
}

async function explainFile(file: string): Promise<string | undefined> {
  try {
    if ((await stat(file)).isDirectory()) return `${file} is a directory, and no command.`;
    await access(file, constants.X_OK);
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'EACCES' ? `${file} may not be executed.` : `${file}: there is no such file.`;
  }
}
