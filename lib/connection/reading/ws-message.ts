/**
 * A message that is read while it arrives: a Readable of bytes. What is not read is not taken from the socket; what is
 * destroyed half way is thrown away to its end.
 *
 * @see RFC 6455 §5.4, §5.6
 */
import { Readable } from 'node:stream';

/** Text or binary, as the opcode of a message's first frame says. */
export type WsMessageType = 'text' | 'binary';

/** Where a message's bytes come from. */
export interface MessageSource {
  /** Asked for more; answers with {@link WsMessage.push}, now or later. */
  pull(): void;
  /** The message is over: read to its end, or destroyed. */
  released(): void;
}

/**
 * One message, available from its first bytes on. It is cut with the connection: its stream then errs with a
 * `ClosedError` or `ProtocolError`; it needs no `'error'` listener.
 */
export class WsMessage extends Readable {
  readonly type: WsMessageType;
  readonly #source: MessageSource;
  /** Why there is nothing behind what waits to be read. */
  #failure: Error | undefined;

  /** @internal */
  constructor(type: WsMessageType, source: MessageSource) {
    // As small as on Node 20: newer Nodes would let 64 KiB of one-byte pieces wait, each an object.
    super({ highWaterMark: 16_384 });
    this.type = type;
    this.#source = source;
    // A cut must not end the process for want of a listener; whoever reads sees it.
    this.on('error', ignore);
  }

  /**
   * Reads the rest into one Uint8Array (a Buffer).
   *
   * @throws ClosedError, ProtocolError, as a rejection, when the message is cut
   */
  async bytes(): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this) chunks.push(chunk as Uint8Array);
    return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
  }

  /** Reads the rest as UTF-8. Errors as {@link bytes}. */
  async text(): Promise<string> {
    let text = '';
    for await (const piece of this.textStream()) text += piece;
    return text;
  }

  /** Reads the rest and parses it. @throws SyntaxError, as a rejection, when it is no JSON; otherwise as {@link bytes} */
  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }

  /** Reads the rest as strings, piece by piece; no character is torn. Errors as {@link bytes}. */
  async *textStream(): AsyncGenerator<string, void, undefined> {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    for await (const chunk of this) {
      const piece = decoder.decode(chunk as Uint8Array, { stream: true });
      if (piece !== '') yield piece;
    }
    const rest = decoder.decode();
    if (rest !== '') yield rest;
  }

  /** Reads as `Readable.read` does. What came before a cut is read before its error ends the stream. */
  override read(size?: number): ReturnType<Readable['read']> {
    const chunk: Buffer | null = super.read(size);
    this.#failWhenRead();
    return chunk;
  }

  /** @internal nothing more will come; what has come can be read first */
  cut(error: Error): void {
    this.#failure = error;
    this.#failWhenRead();
  }

  #failWhenRead(): void {
    if (this.#failure !== undefined && this.readableLength === 0) this.destroy(this.#failure);
  }

  /** @internal */
  override _read(): void {
    this.#source.pull();
  }

  /** @internal */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#source.released();
    callback(error);
  }
}

function ignore(): void {}
