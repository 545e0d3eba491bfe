/** Attacks by what stands in a frame: each is answered with its close code, and only its own connection notices. */
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../lib/errors.ts';
import { linked } from '../support/endpoints.ts';
import { ROLES } from '../support/naive-frames.ts';
import { decodeFrames, duel, readToClose } from './duels.ts';
import { VICTIM_LIMITS, WIRE_ATTACKS } from './wire-attacks.ts';

const cases = ROLES.flatMap((role) =>
  WIRE_ATTACKS.filter(({ against }) => against.includes(role)).map((attack) => ({ role, ...attack })),
);

describe('a frame that attacks', () => {
  it.each(cases)('$name: a $role answers $closeCode, and nobody else notices', async ({ role, bytes, closeCode }) => {
    const attacker = await duel(role, VICTIM_LIMITS);
    const { conn, socket, isMasked, server } = attacker;
    const bystander = server && (await linked(server));
    const delivered: unknown[] = [];
    socket.write(bytes(isMasked));
    const reading = readToClose(attacker);
    for await (const frame of conn) delivered.push(frame);
    const info = await conn.closeInfo;
    expect(info).toMatchObject({ code: closeCode, wasClean: false, initiator: 'local' });
    expect(info.error).toBeInstanceOf(ProtocolError);
    // The whole message before the attack, if there was one, and nothing of the attack itself.
    expect(delivered.length).toBeLessThanOrEqual(1);
    const sent = await reading;
    const last = decodeFrames(sent).at(-1);
    expect(last?.opcode).toBe(8);
    expect(last?.payload.readUInt16BE(0)).toBe(closeCode);
    expect(String(sent)).not.toContain('HTTP/1.1');
    if (bystander === undefined) return;
    await bystander.client.sendText('still here?');
    expect((await bystander.ours.recvFrame())?.payloadText()).toBe('still here?');
    expect([...server!.connections]).toEqual([bystander.ours]);
    await Promise.all([bystander.client.close(), bystander.ours.close()]);
  });
});
