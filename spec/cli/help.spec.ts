import { describe, expect, it } from 'vitest';
import { type HelpTopic, parseArguments } from '../../lib/cli/arguments.ts';
import { CONNECT_OPTIONS } from '../../lib/cli/connect/connect-arguments.ts';
import { ECHO_DEFAULTS, ECHO_OPTIONS } from '../../lib/cli/echo/echo-arguments.ts';
import { formatHelp } from '../../lib/cli/help.ts';
import { PROXY_OPTIONS } from '../../lib/cli/proxy/proxy-arguments.ts';
import { SERVE_OPTIONS } from '../../lib/cli/serve/serve-arguments.ts';
import { splitWords } from '../support/shell-words.ts';

const plain = (text: string): string => text;
const topics: readonly HelpTopic[] = ['wspipe', 'connect', 'echo', 'serve', 'proxy'];

describe('formatHelp', () => {
  it.each(topics)('fits a terminal of 80 columns and ends its last line (%s)', (topic) => {
    const text = formatHelp(topic, plain);
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(text).toMatch(/\S\n$/);
  });

  it.each([
    ['connect', CONNECT_OPTIONS],
    ['echo', ECHO_OPTIONS],
    ['serve', SERVE_OPTIONS],
    ['proxy', PROXY_OPTIONS],
  ] as const)('explains each option of %s', (topic, options) => {
    const text = formatHelp(topic, plain);
    for (const [name, { type, short }] of Object.entries(options)) {
      const letter = short === undefined ? '' : `-${short}, `;
      expect(text).toMatch(new RegExp(`^  ${letter}--${name}${type === 'string' ? ' <.*>' : ''}  ?`, 'm'));
    }
    for (const name of ['--help', '--version']) expect(text).toContain(name);
  });

  it('names the defaults of echo', () => {
    for (const value of Object.values(ECHO_DEFAULTS)) expect(formatHelp('echo', plain)).toContain(`Default ${value}`);
  });

  it.each(topics)('shows only examples that work (%s)', (topic) => {
    const lines = formatHelp(topic, plain).split('Examples\n')[1]?.split('\n') ?? [];
    const examples = lines
      .filter((line) => /^ {2}.*wspipe /.test(line))
      .map((line) => line.trim().split(/ {3,}/)[0] ?? '');
    expect(examples.length).toBeGreaterThan(2);
    for (const example of examples) {
      const words = splitWords(example.replace(/^.*?\| (?=wspipe)/, '').split(/ [<>|]/)[0] ?? '');
      expect({ example, command: parseArguments(words.slice(1)).kind }).toEqual({
        example,
        command: words.includes('--help') ? 'help' : words[1],
      });
    }
  });

  it('sets off the headings, and nothing else', () => {
    const marked = [...formatHelp('connect', (text) => `<<${text}>>`).matchAll(/<<(.+?)>>/g)].map((match) => match[1]);
    expect(marked).toEqual(['Usage', 'Options', 'Exit codes', 'Examples']);
  });
});
