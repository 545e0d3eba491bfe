/**
 * Where we run. In a page only the browser can open a connection, so its own classes are taken where it has them; on
 * Node, Bun and Deno ours stand on sockets, with backpressure in both directions.
 */

type Scope = Readonly<Record<string, unknown>>;

/** Tells whether there are sockets to be had: on Node, Bun and Deno, and on what passes for one of them. */
export function hasSockets(scope: Scope = globalThis): boolean {
  const { process, Deno } = scope as {
    readonly process?: { readonly versions?: { readonly node?: string } };
    readonly Deno?: object;
  };
  return typeof process?.versions?.node === 'string' || Deno !== undefined;
}

/**
 * Chooses between the platform's own class of a name and ours.
 *
 * @returns the platform's, in a page that has it; else ours
 */
export function chooseClass<T>(name: string, ours: T, scope: Scope = globalThis): T {
  const platforms = scope[name] as T | undefined;
  return platforms === undefined || hasSockets(scope) ? ours : platforms;
}
