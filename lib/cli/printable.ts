/**
 * Text of a peer's, made safe for a terminal.
 *
 * Law: what a peer sends never moves the cursor, never changes colours or titles, and never turns the direction of what
 * stands beside it. It is seen as what it is.
 */

/** C0 (but tab and line feed), DEL, C1, and the characters that turn the direction of writing (Trojan Source). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNSAFE = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Replaces each character that is no text by its number: `\x1b`, `\u202e`. */
export function printable(text: string): string {
  return text.replace(UNSAFE, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`;
  });
}

/** The same, in one line. */
export function printableLine(text: string): string {
  return printable(text).replaceAll('\n', '\\n').replaceAll('\t', '\\t');
}
