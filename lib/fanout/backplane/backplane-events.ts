/**
 * What a backplane tells, and what it counts. Nothing that it loses, refuses or ignores goes untold.
 */
import type { WsError } from '../../errors.ts';

/** The events of a backplane. */
export interface BackplaneEvents {
  /** The broker can be reached, at first or again. */
  readonly connected: [];
  /** It cannot. */
  readonly disconnected: [error: Error | undefined];
  /** Messages of one publisher (a process; 16 hexadecimal digits) did not come. */
  readonly lost: [loss: { readonly name: string; readonly publisher: string; readonly messages: number }];
  /** Messages were not given to the broker, or it did not take them. */
  readonly refused: [refusal: { readonly name: string; readonly messages: number; readonly error: WsError }];
  /** The broker does not let us subscribe. It is tried again and again. */
  readonly subscribeFailed: [failure: { readonly name: string; readonly error: WsError }];
  /** Something came through the broker that is none of ours. It was ignored. */
  readonly malformed: [what: { readonly name: string; readonly reason: string }];
}

/** What a backplane has done, and what it holds. */
export interface BackplaneStats {
  readonly isConnected: boolean;
  /** How often the broker came, and went. */
  readonly connects: number;
  readonly disconnects: number;
  /** Messages that were published here; those of them that nobody elsewhere will get; and those that wait. */
  readonly published: number;
  readonly refused: number;
  readonly queuedMessages: number;
  readonly queuedBytes: number;
  /** Messages that came through the broker and were delivered here; that came again; that never came; and what was none. */
  readonly received: number;
  readonly duplicates: number;
  readonly lost: number;
  readonly malformed: number;
  /** Names that somebody here listens to, or has published under lately. */
  readonly names: number;
}
