/**
 * The Duplex that a connection is, with the types of its events: Node's own typings take any name for an event of a
 * stream, and any listener. It is the same class, so this costs nothing.
 */
import { Duplex, type DuplexOptions, type Readable } from 'node:stream';
import type { WsFrame } from '../../protocol/frame.ts';

/** The events of a {@link WsConnection}: those of every Duplex, with what they carry. None needs a listener. */
export interface WsConnectionEvents {
  /** A whole message has come; with `autoPong: false` or `controlFrames: true`, a control frame too. */
  readonly data: [frame: WsFrame];
  /** There is a frame to `read()`, or the end. */
  readonly readable: [];
  /** There will be no more frames, and all have been read. */
  readonly end: [];
  /** `write()` has given `false`, and there is room again. */
  readonly drain: [];
  /** It was closed cleanly, behind all that was written. */
  readonly finish: [];
  /** The connection was cut, or was failed. `closeInfo` tells the same. */
  readonly error: [error: Error];
  /** It is over. */
  readonly close: [];
  readonly pause: [];
  readonly resume: [];
  /** Somebody pipes into it, or does so no longer. */
  readonly pipe: [source: Readable];
  readonly unpipe: [source: Readable];
  /** A listener is added, or was taken away. */
  readonly newListener: [event: string | symbol, listener: (...args: never[]) => void];
  readonly removeListener: [event: string | symbol, listener: (...args: never[]) => void];
}

/**
 * What may listen to an event: a name that is none is refused; one that is known only at run time is not, nor are
 * symbols, such as Node's `errorMonitor`. Where an event carries nothing, any function may listen:
 * `new Promise((resolve) => conn.once('close', resolve))`.
 */
export type ListenerOf<Events extends { [E in keyof Events]: readonly unknown[] }, E> = E extends keyof Events
  ? (...args: Events[E] extends readonly [] ? never[] : Events[E]) => void
  : E extends symbol
    ? (...args: never[]) => void
    : string extends E
      ? (...args: never[]) => void
      : never;

type Events = WsConnectionEvents;

/** A Duplex that knows its events. */
export interface FrameDuplex extends Duplex {
  on<E>(event: E | keyof Events, listener: ListenerOf<Events, E>): this;
  once<E>(event: E | keyof Events, listener: ListenerOf<Events, E>): this;
  off<E>(event: E | keyof Events, listener: ListenerOf<Events, E>): this;
  addListener<E>(event: E | keyof Events, listener: ListenerOf<Events, E>): this;
  removeListener<E>(event: E | keyof Events, listener: ListenerOf<Events, E>): this;
  prependListener<E>(event: E | keyof Events, listener: ListenerOf<Events, E>): this;
  prependOnceListener<E>(event: E | keyof Events, listener: ListenerOf<Events, E>): this;
}

/** The class itself, with what is static. */
type FrameDuplexClass = Pick<typeof Duplex, keyof typeof Duplex> & (new (options?: DuplexOptions) => FrameDuplex);

export const FrameDuplex: FrameDuplexClass = Duplex as unknown as FrameDuplexClass;
