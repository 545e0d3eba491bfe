/**
 * The sizes in bytes around which wspipe is built. Each is the real default of what its line says.
 */

/**
 * The largest payload of a frame that a connection makes by itself: longer outgoing messages leave as fragments of
 * this size, arriving payloads are sliced at it where they are streamed. It does not limit what a peer may send.
 */
export const WS_MAX_FRAME_SIZE = 65_536;

/** The default limit of the HTTP head of an upgrade: 431 beyond it. */
export const WS_HEADER_BUFFER = 8192;

/** The size up to which a payload that spans chunks is gathered in one small buffer. */
export const WS_RECV_BUFFER = 4096;

/** The encoder's batch buffer: one frame of `WS_MAX_FRAME_SIZE` and its header of at most 14 bytes. */
export const WS_SEND_BUFFER = 65_550;
