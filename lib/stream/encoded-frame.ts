/**
 * A frame that carries its bytes: encoded once, and then the same memory for every server connection that sends it.
 *
 * What is not a server, or cannot take bytes as they are, sends it as any other frame: it is one. So nothing on the road
 * has a second way for it, and order and backpressure are those of frames.
 */
import { WsFrame, type WsFrameOptions } from '../protocol/frame.ts';
import { encodeHeader, headerLengthFor } from '../protocol/header.ts';
import { WS_OPCODE_CONTINUATION, type WsOpcode } from '../protocol/opcode.ts';
import { WS_MAX_FRAME_SIZE } from '../protocol/sizes.ts';

/** Joined bytes stay with the frame, and each frame of a tick joins those of all before it. */
const MAX_JOINED_LENGTH = 8192;

/** A {@link WsFrame} with its bytes. They are never changed, and whoever is given them may not change them either. */
export class EncodedFrame extends WsFrame {
  /** @internal header and payload, unmasked; undefined for a payload beyond `WS_MAX_FRAME_SIZE`: its fragments have them */
  readonly wire: Buffer | undefined;
  readonly #fragments: readonly EncodedFrame[];
  #before: Buffer | undefined;
  #joined: Buffer | undefined;
  #variants: Map<string, EncodedFrame> | undefined;

  /** @param payload copied */
  constructor(opcode: WsOpcode, payload: Uint8Array, options: WsFrameOptions = {}) {
    const { isFinal = true, rsv = 0 } = options;
    const isWhole = payload.length <= WS_MAX_FRAME_SIZE;
    const wire = isWhole ? encodeWire(opcode, payload, isFinal, rsv) : undefined;
    super(opcode, wire?.subarray(wire.length - payload.length) ?? payload, options);
    this.wire = wire;
    this.#fragments = isWhole ? [] : cut(this);
  }

  /** Gives the fragment that begins `offset` bytes into the payload, a multiple of `WS_MAX_FRAME_SIZE`. */
  fragmentAt(offset: number): WsFrame {
    return this.#fragments[offset / WS_MAX_FRAME_SIZE]!;
  }

  /**
   * @internal Gives the bytes behind others that leave with them: joined once, where many connections have the same to
   * send in one write; `undefined` where that would come to much.
   */
  wireBehind(before: Buffer): Buffer | undefined {
    const { wire } = this;
    if (wire === undefined || before.length + wire.length > MAX_JOINED_LENGTH) return undefined;
    if (this.#before !== before) {
      this.#before = before;
      this.#joined = Buffer.concat([before, wire]);
    }
    return this.#joined;
  }

  /**
   * What an extension has made of it, made once for each `key`.
   *
   * @param key names the extension and all on which the result depends
   */
  variant(key: string, make: () => EncodedFrame): EncodedFrame {
    this.#variants ??= new Map();
    let variant = this.#variants.get(key);
    if (variant === undefined) {
      variant = make();
      this.#variants.set(key, variant);
    }
    return variant;
  }

  /** Does nothing: others may still have it to send. */
  override drop(): void {}
}

/** A stage of an extension that has at hand what comes out of it: then nothing needs to go through it. */
export interface TranslatingStage {
  /** @returns what comes out for this frame alone; undefined where it must go through. Only while the stage holds nothing. */
  translateEncoded(frame: EncodedFrame): WsFrame | undefined;
}

/** The bytes of a frame, where it carries them; behind others that leave with them, where that is worth joining. */
export function wireOf(frame: WsFrame, before?: Buffer | undefined): Buffer | undefined {
  if (!(frame instanceof EncodedFrame)) return undefined;
  return before === undefined ? frame.wire : frame.wireBehind(before);
}

function encodeWire(opcode: number, payload: Uint8Array, isFinal: boolean, rsv: number): Buffer {
  const headerLength = headerLengthFor(payload.length, false);
  const wire = Buffer.allocUnsafe(headerLength + payload.length);
  encodeHeader(wire, 0, opcode, isFinal, rsv, payload.length, undefined);
  wire.set(payload, headerLength);
  return wire;
}

/** §5.4: the opcode and the reserved bits are in the first fragment, FIN in the last. */
function cut({ opcode, payload, isFinal, rsv, compress }: WsFrame): EncodedFrame[] {
  const fragments: EncodedFrame[] = [];
  for (let start = 0; start < payload.length; start += WS_MAX_FRAME_SIZE) {
    const piece = payload.subarray(start, start + WS_MAX_FRAME_SIZE);
    const isLast = start + piece.length === payload.length;
    const options = { isFinal: isFinal && isLast, rsv: start === 0 ? rsv : 0, compress };
    fragments.push(new EncodedFrame(start === 0 ? opcode : WS_OPCODE_CONTINUATION, piece, options));
  }
  return fragments;
}
