/**
 * A terminal's screen as far as readline writes to it: text that wraps, line feeds, and the moves of the cursor. It knows
 * nothing of colours, and does not scroll.
 */
export function drawScreen(output: string, columns: number): string[] {
  const cells: string[][] = [[]];
  let [row, column] = [0, 0];
  const rowAt = (index: number): string[] => {
    while (cells.length <= index) cells.push([]);
    return cells[index]!;
  };
  const put = (character: string): void => {
    // A terminal wraps when the next character comes, not when the row is full.
    if (column === columns) [row, column] = [row + 1, 0];
    const line = rowAt(row);
    while (line.length < column) line.push(' ');
    line[column++] = character;
  };
  const command = (count: number, name: string): void => {
    if (name === 'A') row = Math.max(0, row - (count || 1));
    else if (name === 'B') row += count || 1;
    else if (name === 'C') column += count || 1;
    else if (name === 'D') column = Math.max(0, column - (count || 1));
    else if (name === 'G') column = (count || 1) - 1;
    else if (name === 'J') {
      rowAt(row).length = Math.min(rowAt(row).length, column);
      cells.length = row + 1;
    } else if (name === 'K') rowAt(row).length = Math.min(rowAt(row).length, column);
    else throw new Error(`the screen does not know CSI ${name}`);
  };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what a screen obeys
  for (const [token, count, name] of output.matchAll(/\x1b\[(\d*)([A-Za-z])|[\s\S]/gu)) {
    if (name !== undefined) command(Number(count), name);
    else if (token === '\n') [row, column] = [row + 1, 0];
    else if (token === '\r') column = 0;
    else put(token);
    rowAt(row);
  }
  const lines = cells.map((line) => line.join('').trimEnd());
  while (lines.at(-1) === '') lines.pop();
  return lines;
}
