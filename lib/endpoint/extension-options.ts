/**
 * Which extensions an endpoint speaks: its own list, and permessage-deflate as it is asked for.
 */
import { createPerMessageDeflate, type PerMessageDeflateOptions } from '../deflate/per-message-deflate.ts';
import { assertExtensions } from '../handshake/extension-negotiation.ts';
import type { WsExtension } from '../stream/ws-extension.ts';

/** The extensions of an endpoint. */
export interface ExtensionOptions {
  /**
   * Whether messages may be compressed (RFC 7692), and how. Default: a client offers it, and a server does not take it, as
   * compression costs a server CPU and memory for each client, and may give secrets away (see docs/guide/compression.md).
   */
  readonly perMessageDeflate?: boolean | PerMessageDeflateOptions | undefined;
  /**
   * Further extensions, in the order in which they apply to what is sent. permessage-deflate comes behind them, next to
   * the wire; where it should stand elsewhere, put `createPerMessageDeflate()` into this list.
   */
  readonly extensions?: readonly WsExtension[] | undefined;
}

/**
 * Lists the extensions.
 *
 * @param isDeflateDefault whether permessage-deflate is spoken where nothing is said of it
 * @throws TypeError for a value of the wrong type or an extension that is given twice, RangeError for one out of range
 */
export function resolveExtensions(options: ExtensionOptions, isDeflateDefault: boolean): readonly WsExtension[] {
  const { perMessageDeflate, extensions = [] } = options;
  assertExtensions(extensions);
  const own = [...extensions];
  const isListed = own.some(({ name }) => name === 'permessage-deflate');
  const wanted = perMessageDeflate === undefined ? isDeflateDefault && !isListed : perMessageDeflate;
  if (wanted !== false) own.push(createPerMessageDeflate(wanted === true ? {} : wanted));
  assertExtensions(own);
  return own;
}
