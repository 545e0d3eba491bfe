/** Text of any characters, for properties. */
import fc from 'fast-check';

const SURROGATES = 0xd800;
const SURROGATE_COUNT = 0x800;

/** One character, as likely a short one as a long one. (fast-check's own unit `binary` takes a second to be made.) */
const anyCharacter: fc.Arbitrary<string> = fc
  .oneof(
    fc.nat({ max: 0x7f }),
    fc.integer({ min: 0x80, max: 0x7ff }),
    fc.integer({ min: 0x800, max: 0xffff - SURROGATE_COUNT }),
    fc.integer({ min: 0x10000 - SURROGATE_COUNT, max: 0x10ffff - SURROGATE_COUNT }),
  )
  .map((index) => String.fromCodePoint(index < SURROGATES ? index : index + SURROGATE_COUNT));

/** Well-formed text, of any characters. */
export const anyText = (maxLength = 10): fc.Arbitrary<string> => fc.string({ unit: anyCharacter, maxLength });
