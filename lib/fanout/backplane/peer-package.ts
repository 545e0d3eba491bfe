/**
 * Packages that are yours to install: wspipe depends on none, and loads one only when it is asked to use it.
 */
import { WsError } from '../../errors.ts';

/**
 * Loads a package.
 *
 * @throws WsError (`WS_ERR_PACKAGE_MISSING`) where it is not installed; as a rejection
 */
export async function loadPackage(name: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await import(name);
  } catch (cause) {
    throw new WsError('WS_ERR_PACKAGE_MISSING', `The package ${name} cannot be loaded: npm install ${name}`, { cause });
  }
}
