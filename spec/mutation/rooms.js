/** What is mutated, and by which specs the mutants are to be found: those of the room itself, and no others. */
export const ROOMS = {
  protocol: { mutate: ['lib/protocol/*.ts', '!lib/protocol/index.ts'], specs: ['spec/protocol/*.spec.ts'] },
  handshake: { mutate: ['lib/handshake/*.ts'], specs: ['spec/handshake/*.spec.ts'] },
  deflate: { mutate: ['lib/deflate/*.ts'], specs: ['spec/deflate/*.spec.ts'] },
  closing: {
    mutate: ['lib/connection/closer.ts', 'lib/connection/time/close-timer.ts'],
    specs: [
      'spec/connection/closer*.spec.ts',
      'spec/connection/time/close-timer.spec.ts',
      'spec/connection/ws-connection.clos*.spec.ts',
      'spec/connection/ws-connection.endings.spec.ts',
      'spec/connection/ws-connection.failure.spec.ts',
    ],
  },
};
