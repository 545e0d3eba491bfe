/** Guesses which word was meant by one that is not known. */

/**
 * Names what was probably meant: the word that begins or ends like this one, or is one slip of the finger away.
 *
 * @param prefix put before the guess
 * @returns a sentence with a space before it; `''` where nothing is near
 */
export function suggest(word: string, known: readonly string[], prefix: string): string {
  const near = known.find((name) => isNear(word, name));
  return near === undefined ? '' : ` Did you mean ${prefix}${near}?`;
}

function isNear(word: string, name: string): boolean {
  if (name.startsWith(word) || name.endsWith(`-${word}`)) return true;
  const [long, brief] = word.length >= name.length ? [word, name] : [name, word];
  if (brief.length < 3 || long.length - brief.length > 1) return false;
  let start = 0;
  while (start < brief.length && long[start] === brief[start]) start++;
  const rest = long.slice(start + 1);
  // One letter too many or too few, one letter wrong, or two letters that changed places.
  if (rest === brief.slice(start) || rest === brief.slice(start + 1)) return true;
  return (
    long[start] === brief[start + 1] &&
    long[start + 1] === brief[start] &&
    long.slice(start + 2) === brief.slice(start + 2)
  );
}
