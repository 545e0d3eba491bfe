import { expect, it } from 'vitest';
import { PublisherLedger } from '../../../lib/fanout/backplane/publisher-ledger.ts';

it('tells what is new from what came already, and counts what is missing', () => {
  const ledger = new PublisherLedger(10);
  const sequences = [7, 8, 8, 7, 9, 12, 10, 11, 13];
  expect(sequences.map((sequence) => ledger.enter('a', sequence))).toEqual([0, 0, -1, -1, 0, 2, -1, -1, 0]);
});

it('knows each publisher by itself', () => {
  const ledger = new PublisherLedger(10);
  expect([ledger.enter('a', 1), ledger.enter('b', 5), ledger.enter('a', 2), ledger.enter('b', 7)]).toEqual([
    0, 0, 0, 1,
  ]);
});

it('learns how far a publisher is, and counts what it has missed once', () => {
  const ledger = new PublisherLedger(10);
  expect(ledger.learn('a', 3)).toBe(0);
  expect(ledger.learn('a', 5)).toBe(2);
  expect(ledger.learn('a', 5)).toBe(0);
  expect(ledger.learn('a', 4)).toBe(0);
  expect(ledger.enter('a', 5)).toBe(-1);
  expect(ledger.enter('a', 6)).toBe(0);
});

it('learns of one that has not published yet', () => {
  const ledger = new PublisherLedger(10);
  expect(ledger.learn('a', 0)).toBe(0);
  expect(ledger.enter('a', 3)).toBe(2);
});

it('forgets who was silent for the longest', () => {
  const ledger = new PublisherLedger(2);
  ledger.enter('a', 1);
  ledger.enter('b', 1);
  ledger.enter('a', 2);
  ledger.enter('c', 1);
  // b is not known any more: it is counted from here.
  expect(ledger.enter('a', 4)).toBe(1);
  expect(ledger.enter('b', 9)).toBe(0);
});
