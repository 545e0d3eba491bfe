/**
 * What a road tells to whom it belongs.
 */
import type { ProtocolError, WsError } from '../../errors.ts';
import type { WsFrame } from '../../protocol/frame.ts';

export interface RoadHandlers {
  /** A frame (or a slice of one) came. */
  receive(frame: WsFrame): void;
  /** The peer broke a rule. Nothing more is parsed. */
  violated(error: ProtocolError): void;
  /** The peer will send nothing more, and all that it sent was handed over or discarded. `error`: it ended inside a frame. */
  transportEnded(error?: ProtocolError | undefined): void;
  /** The socket is gone. Frames that came before may still be handed over. */
  transportGone(error?: Error | undefined): void;
  /** There is room to write again. */
  roadDrained(): void;
  /** An extension has failed on the way out: only this close frame can be sent any more. */
  giveUp(error: WsError, frame: WsFrame): void;
}
