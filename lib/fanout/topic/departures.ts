/**
 * Who leaves when a connection is over. However many topics a connection is in, and however often it comes and goes, it
 * is asked once for its end: no listener of a topic's stands on it.
 */
import type { WsConnection } from '../../connection/ws-connection.ts';

/** Is told that its connection is over. */
export interface Departing {
  connectionOver(): void;
}

const departing = new WeakMap<WsConnection, Set<Departing>>();

/** Tells it when the connection is over. */
export function watchDeparture(connection: WsConnection, member: Departing): void {
  (departing.get(connection) ?? watch(connection)).add(member);
}

/** Does not tell it any more. */
export function unwatchDeparture(connection: WsConnection, member: Departing): void {
  departing.get(connection)?.delete(member);
}

function watch(connection: WsConnection): Set<Departing> {
  const members = new Set<Departing>();
  departing.set(connection, members);
  void connection.closeInfo.then(() => {
    for (const member of members) member.connectionOver();
  });
  return members;
}
