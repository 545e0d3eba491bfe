/** What a line that was typed asks for, pure: a message, or a command behind a slash. */
import { WS_CLOSE_NORMAL } from '../../protocol/close-code.ts';
import { WsFrame } from '../../protocol/frame.ts';
import { suggest } from '../near-word.ts';

export type Typed =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'message'; readonly text: string }
  | { readonly kind: 'ping'; readonly data: string | undefined }
  | { readonly kind: 'close'; readonly code: number; readonly reason: string }
  | { readonly kind: 'help' }
  | { readonly kind: 'mistake'; readonly message: string };

const COMMANDS = ['ping', 'close', 'help'] as const;

export const CONVERSATION_HELP: readonly string[] = [
  'A line is a text message. What begins with a slash is a command:',
  '  /ping [data]            measures the round trip',
  '  /close [code] [reason]  closes: 1000 unless you say otherwise',
  '  /help                   prints this',
  '  //text                  sends /text',
  'Arrow keys bring back earlier lines; Ctrl-C or Ctrl-D closes.',
];

/** Reads a line. What could not be sent is a mistake, and told before anything is. */
export function parseTyped(line: string): Typed {
  if (line === '') return { kind: 'nothing' };
  if (!line.startsWith('/')) return { kind: 'message', text: line };
  if (line.startsWith('//')) return { kind: 'message', text: line.slice(1) };
  const [, name = '', rest = ''] = /^\/(\S*)\s*(.*)$/.exec(line) ?? [];
  try {
    return parseCommand(name, rest);
  } catch (error) {
    return { kind: 'mistake', message: `/${name}: ${(error as Error).message}` };
  }
}

function parseCommand(name: string, rest: string): Typed {
  switch (name) {
    case 'help':
      return { kind: 'help' };
    case 'ping':
      WsFrame.ping(rest);
      return { kind: 'ping', data: rest === '' ? undefined : rest };
    case 'close': {
      const [, digits, reason = ''] = /^(\d+)?\s*(.*)$/.exec(rest) ?? [];
      const code = digits === undefined ? WS_CLOSE_NORMAL : Number(digits);
      WsFrame.close(code, reason);
      return { kind: 'close', code, reason };
    }
    default: {
      const near = name === '' ? '' : suggest(name, COMMANDS, '/');
      const hint = near || ` There is ${COMMANDS.map((known) => `/${known}`).join(', ')}.`;
      return { kind: 'mistake', message: `/${name} is not a command.${hint} To send it, type //${name}.` };
    }
  }
}
