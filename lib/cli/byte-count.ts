/** Numbers of bytes as people read them. */

const UNITS = ['KiB', 'MiB', 'GiB', 'TiB'] as const;

/** Formats a limit, exactly: whole MiB and KiB by name, everything else to the byte. */
export function formatLimit(bytes: number): string {
  if (bytes % 1_048_576 === 0) return `${bytes / 1_048_576} MiB`;
  if (bytes % 1024 === 0) return `${bytes / 1024} KiB`;
  return `${bytes} byte${bytes === 1 ? '' : 's'}`;
}

/** Formats an amount that changes, in four to eight characters. */
export function formatAmount(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`;
  let amount = bytes;
  let unit: string = 'B';
  for (const next of UNITS) {
    if (amount < 1000) break;
    amount /= 1024;
    unit = next;
  }
  return `${amount.toFixed(amount < 10 ? 2 : amount < 100 ? 1 : 0)} ${unit}`;
}
