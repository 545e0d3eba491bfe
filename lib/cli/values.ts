/** The values of options, read as what they should be: whole numbers, times, sizes. A mistake is a `Misuse`. */
import { MAX_TIMER_MS } from '../options.ts';

/** A mistake of the caller in a command line, on its way up to `parseArguments`; the message is a sentence for people. */
export class Misuse extends Error {}

/** What a number may be. */
export interface NumberRule<T> {
  /** What it is where the option is not given. */
  readonly fallback: T;
  readonly min: number;
  readonly max?: number;
  /** Put behind the range where the number is refused. */
  readonly remark?: string;
}

/** What a time may be. */
export interface TimeRule {
  /** In ms. Default 1. */
  readonly min?: number;
  /** Whether `forever` is one. Default `false`. */
  readonly mayBeEndless?: boolean;
}

const MS_OF_UNIT: Readonly<Record<string, number>> = { '': 1000, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Where an option is given twice, the later one holds, so that an alias or a script can be overruled; but a list grows. */
export class Values {
  readonly #texts: ReadonlyMap<string, readonly string[]>;

  constructor(texts: ReadonlyMap<string, readonly string[]>) {
    this.#texts = texts;
  }

  has(name: string): boolean {
    return this.#texts.has(name);
  }

  text(name: string): string | undefined {
    return this.#texts.get(name)?.at(-1);
  }

  list(name: string): readonly string[] {
    return this.#texts.get(name) ?? [];
  }

  /** Reads a whole number. Decimal digits only: `Number` alone would take '', '0x50', '8e3' and ' 80 ' too. */
  number<T>(name: string, { fallback, min, max = Number.MAX_SAFE_INTEGER, remark = '' }: NumberRule<T>): number | T {
    const text = this.text(name);
    if (text === undefined) return fallback;
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new Misuse(`--${name} takes a whole number from ${min} to ${max}${remark}, not ${text}.`);
  }

  /** Reads a port to listen on. */
  port(name: string, fallback: number): number {
    return this.number(name, { fallback, min: 0, max: 65_535, remark: ' (0: any free port)' });
  }

  /** Reads a time in ms: seconds, or a number with ms, s, m or h behind it; `forever` where `mayBeEndless`. */
  time<T>(name: string, fallback: T, { min = 1, mayBeEndless = false }: TimeRule = {}): number | T {
    const text = this.text(name);
    if (text === undefined) return fallback;
    if (mayBeEndless && text === 'forever') return Number.POSITIVE_INFINITY;
    const [, digits, unit = ''] = /^(\d{1,12}(?:\.\d{1,3})?)(ms|s|m|h)?$/.exec(text) ?? [];
    const ms = digits === undefined ? Number.NaN : Math.round(Number(digits) * MS_OF_UNIT[unit]!);
    if (ms >= min && ms <= MAX_TIMER_MS) return ms;
    const forever = mayBeEndless ? ', or forever' : '';
    throw new Misuse(
      `--${name} takes a time such as 10 (seconds), 0.5, 200ms or 2m, at most 24 days${forever}; not ${text}.`,
    );
  }
}
