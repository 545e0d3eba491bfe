/**
 * The grammar of the header fields that a handshake reads and writes: tokens, lists, extensions, Host.
 *
 * Law: text of the peer is read by one scanner that moves forward only, so the work is linear in the length of the
 * text whatever it holds. Malformed text gives `null` and never throws. What was read is kept in arrays and Maps, never
 * as keys of an object, so a name such as `__proto__` is a name like any other.
 *
 * @see RFC 6455 §9.1, §4.3 (ABNF); RFC 9110 §5.6 (tokens, lists, quoted strings)
 */

/** Field lines in their order by lower-case field name: the shape of Node's `IncomingMessage.headersDistinct`. */
export type HeaderFields = Readonly<Record<string, readonly string[] | undefined>>;

/** One header field as it is written: its name and its value. */
export type FieldLine = readonly [name: string, value: string];

/** A parameter of an extension; `value` is undefined where the parameter has none, and unquoted where it was quoted. */
export interface ExtensionParam {
  readonly name: string;
  readonly value: string | undefined;
}

/** An extension as offered or accepted: its name and its parameters, in order, repeated ones included. */
export interface ExtensionOffer {
  readonly name: string;
  readonly params: readonly ExtensionParam[];
}

/** The host and port of a Host field or of an origin: `hostname` in lower case, IPv6 with its brackets. */
export interface Authority {
  readonly hostname: string;
  readonly port: number | undefined;
}

const HTAB = 0x09;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const SLASH = 0x2f;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;

// RFC 9110 §5.6.2: the printable ASCII characters without the delimiters "(),/:;<=>?@[\]{}.
const TOKEN_CODES: ReadonlySet<number> = new Set(
  Array.from("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", (char) =>
    char.charCodeAt(0),
  ),
);

const isSpaceCode = (code: number): boolean => code === SPACE || code === HTAB;

/** Reads one field line from left to right; every method moves forward or stays. */
class FieldScanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isDone(): boolean {
    return this.#at === this.#text.length;
  }

  /** The code of the next character, NaN at the end. */
  peek(): number {
    return this.#text.charCodeAt(this.#at);
  }

  skipSpace(): void {
    while (isSpaceCode(this.peek())) this.#at++;
  }

  /** Steps over `code` and the optional space around it; says whether it was there. */
  take(code: number): boolean {
    this.skipSpace();
    if (this.peek() !== code) return false;
    this.#at++;
    this.skipSpace();
    return true;
  }

  /** Reads a token; null where there is none. */
  token(): string | null {
    const start = this.#at;
    while (TOKEN_CODES.has(this.peek())) this.#at++;
    return this.#at === start ? null : this.#text.slice(start, this.#at);
  }

  /** Reads a token, quoted or not; null where there is none. */
  value(): string | null {
    if (this.peek() !== QUOTE) return this.token();
    this.#at++;
    return this.#quotedToken();
  }

  // "When using the quoted-string syntax variant, the value after quoted-string unescaping MUST conform to the
  // 'token' ABNF." (RFC 6455 §9.1) So whatever is no token character ends the reading at once.
  #quotedToken(): string | null {
    let value = '';
    for (; this.peek() !== QUOTE; this.#at++) {
      if (this.peek() === BACKSLASH) this.#at++;
      if (!TOKEN_CODES.has(this.peek())) return null;
      value += this.#text[this.#at];
    }
    this.#at++;
    return value === '' ? null : value;
  }
}

/**
 * Reads `#element` over all lines of a field, which mean the same as one line with commas between (RFC 9110 §5.3).
 * "null elements are allowed, but do not contribute to the count of elements present" (RFC 2616 §2.1).
 */
function parseList<T>(lines: readonly string[], element: (scanner: FieldScanner) => T | null): T[] | null {
  const elements: T[] = [];
  for (const line of lines) {
    const scanner = new FieldScanner(line);
    scanner.skipSpace();
    while (!scanner.isDone) {
      if (scanner.take(COMMA)) continue;
      const read = element(scanner);
      if (read === null) return null;
      elements.push(read);
      if (!scanner.take(COMMA) && !scanner.isDone) return null;
    }
  }
  return elements;
}

/** Says whether `text` is a token: one or more of the letters, digits and marks that a header name may have. */
export function isToken(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (!TOKEN_CODES.has(text.charCodeAt(at))) return false;
  return text !== '';
}

/** Says whether `text` may stand as the value of a field: tab, printable ASCII and Latin-1, so no CR, LF or NUL. */
export function isFieldValue(text: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(text);
}

/** Says whether `text` is one or more printable ASCII characters without a space. */
export function isVisible(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

/** Cuts spaces and tabs from both ends, and nothing else (`String.prototype.trim` would also take CR, LF and more). */
export function trimSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpaceCode(text.charCodeAt(start))) start++;
  while (end > start && isSpaceCode(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** Gives the trimmed value of a field that stands on exactly one line; undefined where it is missing or repeated. */
export function singleValue(lines: readonly string[] | undefined): string | undefined {
  return lines?.length === 1 ? trimSpace(lines[0]!) : undefined;
}

/** Reads a list of tokens (`#token`) from the lines of a field, empty elements left out; null when malformed. */
export function parseTokenList(lines: readonly string[]): string[] | null {
  return parseList(lines, (scanner) => scanner.token());
}

/** Reads the lines of an Upgrade field, `#( token [ "/" token ] )`, each as it is written; null when malformed. */
export function parseUpgrade(lines: readonly string[]): string[] | null {
  return parseList(lines, (scanner) => {
    const name = scanner.token();
    if (name === null || scanner.peek() !== SLASH) return name;
    scanner.take(SLASH);
    const version = scanner.token();
    return version === null ? null : `${name}/${version}`;
  });
}

/** Says whether one of `tokens` is `name`, in any ASCII case. `name` is given in lower case. */
export function includesToken(tokens: readonly string[], name: string): boolean {
  return tokens.some((token) => token.toLowerCase() === name);
}

/**
 * Reads the lines of `Sec-WebSocket-Extensions`: extensions with parameters, in the order of preference.
 *
 * @returns the extensions, empty where the lines are; null when malformed
 * @see RFC 6455 §9.1
 */
export function parseExtensions(lines: readonly string[]): ExtensionOffer[] | null {
  return parseList(lines, parseExtension);
}

// extension = extension-token *( ";" extension-param )
function parseExtension(scanner: FieldScanner): ExtensionOffer | null {
  const name = scanner.token();
  if (name === null) return null;
  const params: ExtensionParam[] = [];
  while (scanner.take(SEMICOLON)) {
    const param = parseParam(scanner);
    if (param === null) return null;
    params.push(param);
  }
  return { name, params };
}

// extension-param = token [ "=" (token | quoted-string) ]
function parseParam(scanner: FieldScanner): ExtensionParam | null {
  const name = scanner.token();
  if (name === null) return null;
  if (!scanner.take(EQUALS)) return { name, value: undefined };
  const value = scanner.value();
  return value === null ? null : { name, value };
}

/**
 * Writes extensions as one value of `Sec-WebSocket-Extensions`. Names and values are tokens, so nothing is quoted.
 *
 * @see RFC 6455 §9.1
 */
export function formatExtensions(extensions: readonly ExtensionOffer[]): string {
  const formatParam = ({ name, value }: ExtensionParam): string => (value === undefined ? name : `${name}=${value}`);
  return extensions.map(({ name, params }) => [name, ...params.map(formatParam)].join('; ')).join(', ');
}

/**
 * Reads `host [ ":" port ]`, as it stands in a Host field and behind the scheme of an origin.
 *
 * It does not decode, resolve or otherwise repair: two spellings of a host are two hosts, except for the case of
 * letters. So what differs from a browser's spelling is refused, not guessed at. Of the signs that a registered name may
 * have by RFC 3986, those that no DNS name has (`,`, `;`, `%` …) are refused as well.
 *
 * @returns null when malformed: an empty host, one of more than 255 characters, userinfo, a path, a port over 65535
 * @see RFC 3986 §3.2
 */
export function parseAuthority(text: string): Authority | null {
  const match = /^(\[[\da-f:.]{2,45}\]|[\w.-]{1,255})(?::(\d{0,5}))?$/i.exec(text);
  if (match === null) return null;
  const port = match[2] ? Number(match[2]) : undefined;
  return port !== undefined && port > 65535 ? null : { hostname: match[1]!.toLowerCase(), port };
}

/**
 * Groups Node's `rawHeaders` (name, value, name, value …) by lower-case name. Unlike `headersDistinct`, which stands on a
 * plain object, it takes a field named `__proto__` or `constructor` for a field.
 */
export function groupFields(rawHeaders: readonly string[]): HeaderFields {
  const fields: Record<string, string[]> = Object.create(null);
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!.toLowerCase();
    (fields[name] ??= []).push(rawHeaders[at + 1]!);
  }
  return fields;
}
