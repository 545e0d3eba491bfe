/**
 * A set for what comes and goes all the time and leads to much memory, in the order in which it came.
 *
 * A `Set` or `Map` of V8 that changes all the time moves into a new table now and then. The table that it leaves still
 * holds what was in it, and leads to the next one. Once one of them has become old, all later ones stay, with all that was
 * ever in them, until the next full garbage collection: of each connection that came and went, 8 KB were copied twice,
 * which took a quarter of its CPU time. Here nothing of a member stays when it has gone.
 */
const kPlace: unique symbol = Symbol('wspipe.place');

/** A member knows its place, so it can be in one crowd at a time. */
type Member = object & { [kPlace]?: number | undefined };

/** Places that nobody has, before those who came later move up. */
const FREE_PLACES = 32;

export class Crowd<T extends object> implements ReadonlySet<T> {
  readonly #members: ((T & Member) | undefined)[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(member: T & Member): boolean {
    const place = member?.[kPlace];
    return place !== undefined && this.#members[place] === member;
  }

  /** Takes it in, unless it is in already. */
  add(member: T & Member): void {
    if (this.has(member)) return;
    if (this.#members.length - this.#size > Math.max(FREE_PLACES, this.#size)) this.#moveUp();
    member[kPlace] = this.#members.push(member) - 1;
    this.#size += 1;
  }

  /** Lets it go. @returns whether it was in */
  delete(member: T & Member): boolean {
    if (!this.has(member)) return false;
    this.#members[member[kPlace]!] = undefined;
    member[kPlace] = undefined;
    this.#size -= 1;
    return true;
  }

  /** Gives all that are in now, in their order, but for those that go meanwhile. */
  *values(): Generator<T, undefined> {
    for (const member of this.#members.slice()) if (member !== undefined && this.has(member)) yield member;
  }

  keys(): Generator<T, undefined> {
    return this.values();
  }

  *entries(): Generator<[T, T], undefined> {
    for (const member of this.values()) yield [member, member];
  }

  [Symbol.iterator](): Generator<T, undefined> {
    return this.values();
  }

  forEach(callback: (value: T, key: T, set: ReadonlySet<T>) => void, thisArg?: unknown): void {
    for (const member of this.values()) callback.call(thisArg, member, member, this);
  }

  #moveUp(): void {
    const members = this.#members;
    let place = 0;
    for (const member of members) {
      if (member === undefined) continue;
      members[place] = member;
      member[kPlace] = place++;
    }
    members.length = place;
  }
}
