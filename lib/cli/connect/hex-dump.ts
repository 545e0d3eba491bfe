/** Bytes as people look at them: sixteen a line, with their place and their ASCII. */

const BYTES_A_LINE = 16;

/**
 * Formats the beginning of some bytes.
 *
 * @param maxLines how many lines; a further one says how much is left out
 */
export function formatHexDump(bytes: Uint8Array, maxLines: number): string[] {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length && lines.length < maxLines; at += BYTES_A_LINE) {
    const row = [...bytes.subarray(at, at + BYTES_A_LINE)];
    const hex = row.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const ascii = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`${at.toString(16).padStart(6, '0')}  ${hex.padEnd(BYTES_A_LINE * 3 - 1)}  ${ascii}`);
  }
  const left = bytes.length - maxLines * BYTES_A_LINE;
  if (left > 0) lines.push(`… and ${left} more byte${left === 1 ? '' : 's'}`);
  return lines;
}
