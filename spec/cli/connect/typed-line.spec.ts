import { expect, it } from 'vitest';
import { CONVERSATION_HELP, parseTyped } from '../../../lib/cli/connect/typed-line.ts';

it.each([
  ['', { kind: 'nothing' }],
  ['hello', { kind: 'message', text: 'hello' }],
  [' /x', { kind: 'message', text: ' /x' }],
  ['//x y', { kind: 'message', text: '/x y' }],
  ['/help', { kind: 'help' }],
  ['/ping', { kind: 'ping', data: undefined }],
  ['/ping are you there', { kind: 'ping', data: 'are you there' }],
  ['/close', { kind: 'close', code: 1000, reason: '' }],
  ['/close 4001', { kind: 'close', code: 4001, reason: '' }],
  ['/close 4001 bye now', { kind: 'close', code: 4001, reason: 'bye now' }],
  ['/close bye', { kind: 'close', code: 1000, reason: 'bye' }],
])('reads %j', (line, typed) => {
  expect(parseTyped(line)).toEqual(typed);
});

it.each([
  ['/clsoe', /^\/clsoe is not a command\. Did you mean \/close\? To send it, type \/\/clsoe\.$/],
  ['/what', /^\/what is not a command\. There is \/ping, \/close, \/help\. To send it, type \/\/what\.$/],
  ['/', /^\/ is not a command\. There is \/ping, \/close, \/help\./],
  ['/close 1006', /^\/close: .*1006/],
  ['/close 1', /^\/close: .*1/],
  [`/close 1000 ${'x'.repeat(124)}`, /^\/close: .*123/],
  [`/ping ${'x'.repeat(126)}`, /^\/ping: .*125/],
])('explains what is wrong with %j before anything is sent', (line, message) => {
  expect(parseTyped(line)).toEqual({ kind: 'mistake', message: expect.stringMatching(message) });
});

it('tells of every command', () => {
  for (const name of ['/ping', '/close', '/help', '//']) expect(CONVERSATION_HELP.join('\n')).toContain(name);
});
