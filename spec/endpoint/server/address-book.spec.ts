import { describe, expect, it } from 'vitest';
import { AddressBook, networkOf } from '../../../lib/endpoint/server/address-book.ts';

describe('what counts as one peer', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:10.0.0.7', '10.0.0.7'],
    ['::FFFF:10.0.0.7', '10.0.0.7'],
    ['::1', '0:0:0:0'],
    ['::', '0:0:0:0'],
    ['2001:db8:0:1::5', '2001:db8:0:1'],
    ['2001:db8:0:1:aaaa:bbbb:cccc:dddd', '2001:db8:0:1'],
    ['2001:0DB8:0000:0001::', '2001:db8:0:1'],
    ['2001:db8::1:0:0:1', '2001:db8:0:0'],
    ['fe80::1234%eth0', 'fe80:0:0:0'],
    ['64:ff9b::10.0.0.7', '64:ff9b:0:0'],
  ])('is for %s: %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});

describe('an AddressBook', () => {
  it('is not made where there is no limit', () => {
    expect(AddressBook.create(Number.POSITIVE_INFINITY)).toBeUndefined();
  });

  it('says when more than allowed have entered, each address for itself, until enough have left', () => {
    const book = AddressBook.create(2)!;
    for (const address of ['10.0.0.1', '10.0.0.1', '10.0.0.2']) book.enter(address);
    expect([book.isCrowded('10.0.0.1'), book.isCrowded('10.0.0.2')]).toEqual([false, false]);
    book.enter('::ffff:10.0.0.1');
    expect([book.isCrowded('10.0.0.1'), book.isCrowded('10.0.0.2')]).toEqual([true, false]);
    book.leave('10.0.0.1');
    expect(book.isCrowded('10.0.0.1')).toBe(false);
  });

  it('counts all addresses of a /64 as one', () => {
    const book = AddressBook.create(1)!;
    book.enter('2001:db8::1');
    book.enter('2001:db8::2');
    expect([book.isCrowded('2001:db8::3'), book.isCrowded('2001:db8:0:1::3')]).toEqual([true, false]);
  });

  it('forgets who is gone, so that it does not grow with everybody who ever came', () => {
    const book = AddressBook.create(5)!;
    for (let host = 0; host < 100; host++) book.enter(`10.0.0.${host}`);
    expect(book.size).toBe(100);
    for (let host = 0; host < 100; host++) book.leave(`10.0.0.${host}`);
    expect(book.size).toBe(0);
  });

  it('does not count who has no address', () => {
    const book = AddressBook.create(0)!;
    book.enter(undefined);
    expect([book.isCrowded(undefined), book.size]).toEqual([false, 0]);
    book.leave(undefined);
  });
});
