import { expect, it } from 'vitest';
import { suggest } from '../../lib/cli/near-word.ts';

const known = ['port', 'max-message-bytes', 'allow-origin', 'n'];

it.each([
  ['por', 'port'],
  ['prot', 'port'],
  ['pport', 'port'],
  ['pert', 'port'],
  ['max', 'max-message-bytes'],
  ['origin', 'allow-origin'],
  ['bytes', 'max-message-bytes'],
])('thinks that %s means %s', (word, name) => {
  expect(suggest(word, known, '--')).toBe(` Did you mean --${name}?`);
});

it.each(['host', 'potr2', 'rigin', 'm-bytes', 'constructor'])('has no idea what %s means', (word) => {
  expect(suggest(word, known, '')).toBe('');
});
