// A peer that cannot take part here, which is no failure.

export class Unavailable extends Error {
  name = 'Unavailable';
}
