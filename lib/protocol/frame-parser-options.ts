/**
 * What a `FrameParser` may be asked for.
 */
import type { WsRole } from './header-rules.ts';
import type { Allocate } from './payload-collector.ts';
import type { IsUtf8 } from './utf8.ts';

/** What a `FrameParser` demands. */
export interface FrameParserOptions {
  /** Our role: a server demands masked frames, a client demands unmasked ones. */
  readonly role: WsRole;
  /** The largest payload of one frame in bytes, inclusive. Default `Infinity`: messages are limited, not frames. */
  readonly maxFrameBytes?: number | undefined;
  /** Data frames with more payload than this many bytes pass on in slices of at most this size, 1 or more. Default `Infinity`: never. */
  readonly maxSliceBytes?: number | undefined;
  /** Whether text is checked to be UTF-8 (§8.1). Default `true`. */
  readonly validateUtf8?: boolean | undefined;
  /** Whether the chunks may be unmasked in place. Default `false`: the caller's bytes are left untouched. */
  readonly ownsChunks?: boolean | undefined;
  /** Whether lengths in more bytes than needed are taken, which §5.2 forbids. Default `false`. */
  readonly allowNonMinimalLengths?: boolean | undefined;
  /** Reserved bits that extensions have claimed: 4 is RSV1. Default 0. Text under RSV1 is not checked: it is compressed. */
  readonly allowedRsv?: number | undefined;
  /** Makes buffers. Default: plain Uint8Arrays. */
  readonly allocate?: Allocate | undefined;
  /** A faster judge of UTF-8, where the platform has one. */
  readonly isUtf8?: IsUtf8 | undefined;
}
