import { describe, expect, it } from 'vitest';
import { ECHO_DEFAULTS, parseArguments } from '../../lib/cli/arguments.ts';
import { formatHelp } from '../../lib/cli/help.ts';

const plain = (text: string): string => text;

describe('formatHelp', () => {
  it.each(['wspipe', 'echo'] as const)('fits a terminal of 80 columns and ends its last line (%s)', (topic) => {
    const text = formatHelp(topic, plain);
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(text).toMatch(/\S\n$/);
  });

  it('names each option of echo with its default', () => {
    const text = formatHelp('echo', plain);
    for (const name of ['--host', '--port', '--max-message-bytes', '--help', '--version']) expect(text).toContain(name);
    for (const value of Object.values(ECHO_DEFAULTS)) expect(text).toContain(`Default ${value}`);
  });

  it.each(['wspipe', 'echo'] as const)('shows only examples that work (%s)', (topic) => {
    const lines = formatHelp(topic, plain).split('Examples\n')[1]?.split('\n') ?? [];
    const examples = lines
      .filter((line) => line.startsWith('  wspipe'))
      .map((line) => line.trim().split(/ {2,}/)[0] ?? '');
    expect(examples.length).toBeGreaterThan(2);
    for (const example of examples) expect(parseArguments(example.split(' ').slice(1)).kind).not.toBe('misuse');
  });

  it('sets off the headings, and nothing else', () => {
    const marked = [...formatHelp('echo', (text) => `<${text}>`).matchAll(/<([A-Z]\w+)>/g)].map((match) => match[1]);
    expect(marked).toEqual(['Usage', 'Options', 'Examples']);
  });
});
