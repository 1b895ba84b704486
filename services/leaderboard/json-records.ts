import { isUtf8 } from 'node:buffer';

/** Takes each record with the line it starts on, from 1, in the file's order. What it throws ends the reading. */
export type OnRecord = (value: unknown, line: number) => void;

/** A file that is not what it should be: where, and why. */
export class BadRecord extends Error {
  readonly line: number;
  readonly reason: string;
  constructor(line: number, reason: string) {
    super(`line ${line}: ${reason}`);
    this.name = 'BadRecord';
    this.line = line;
    this.reason = reason;
  }
}

const MAX_RECORD_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/**
 * Reads the records of a JSON array of objects or of JSON lines, told apart by the first character, from chunks of a file:
 * memory does not grow with it. Throws `BadRecord` at the first thing that is neither.
 */
export class JsonRecords {
  readonly #onRecord: OnRecord;
  #splitter: Splitter | undefined;
  #rest: Buffer = Buffer.alloc(0);

  constructor(options: { onRecord: OnRecord }) {
    this.#onRecord = options.onRecord;
  }

  push(chunk: Uint8Array): void {
    let bytes = this.#rest.length === 0 ? asBuffer(chunk) : Buffer.concat([this.#rest, chunk]);
    if (!this.#splitter) {
      bytes = withoutMark(bytes);
      this.#splitter = splitterFor(bytes);
    }
    const used = this.#splitter?.split(bytes, this.#onRecord) ?? 0;
    this.#rest = bytes.subarray(used);
    if (this.#rest.length > MAX_RECORD_BYTES)
      throw new BadRecord(this.#splitter?.line ?? 1, `the record is longer than ${MAX_RECORD_BYTES} bytes`);
  }

  end(): void {
    this.#splitter?.finish(this.#rest, this.#onRecord);
  }
}

/** Cuts bytes into records, as far as they are whole. */
interface Splitter {
  /** The line that the first unused byte is on. */
  readonly line: number;
  /** Returns the number of bytes used. */
  split(bytes: Buffer, onRecord: OnRecord): number;
  /** What is left at the end of the file. */
  finish(rest: Buffer, onRecord: OnRecord): void;
}

function asBuffer(chunk: Uint8Array): Buffer {
  return Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}

/** Some editors put a byte order mark first. */
function withoutMark(bytes: Buffer): Buffer {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

/** Undefined while there is only white space. */
function splitterFor(start: Buffer): Splitter | undefined {
  const first = start.find((byte) => !isSpace(byte));
  if (first === undefined) return undefined;
  return first === OPEN_BRACKET ? new ArraySplitter() : new LineSplitter();
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === NEWLINE || byte === 0x0d || byte === 0x09;
}

function parse(bytes: Buffer, line: number): unknown {
  if (!isUtf8(bytes)) throw new BadRecord(line, 'the text is not UTF-8');
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw new BadRecord(line, `not valid JSON: ${(error as Error).message}`);
  }
}

/** One record a line; blank lines are skipped. */
class LineSplitter implements Splitter {
  line = 1;

  split(bytes: Buffer, onRecord: OnRecord): number {
    let used = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, used)) {
      this.finish(bytes.subarray(used, end), onRecord);
      this.line++;
      used = end + 1;
    }
    return used;
  }

  finish(rest: Buffer, onRecord: OnRecord): void {
    if (!rest.every(isSpace)) onRecord(parse(rest, this.line), this.line);
  }
}

/** Objects between `[` and `]`, on as many lines as they like. */
class ArraySplitter implements Splitter {
  line = 1;
  #expects: '[' | 'first' | 'next' | 'comma' | 'end' = '[';

  split(bytes: Buffer, onRecord: OnRecord): number {
    let at = 0;
    while (at < bytes.length) {
      const byte = bytes[at]!;
      if (byte === OPEN_BRACE && (this.#expects === 'first' || this.#expects === 'next')) {
        const end = endOfObject(bytes, at);
        if (end < 0) return at;
        this.#record(bytes.subarray(at, end), onRecord);
        at = end;
        continue;
      }
      if (byte === NEWLINE) this.line++;
      else if (!isSpace(byte)) this.#punctuation(byte);
      at++;
    }
    return at;
  }

  #record(text: Buffer, onRecord: OnRecord): void {
    onRecord(parse(text, this.line), this.line);
    this.line += newlines(text);
    this.#expects = 'comma';
  }

  finish(rest: Buffer): void {
    if (rest.length > 0) throw new BadRecord(this.line, 'the record has no end: the file is cut off');
    if (this.#expects !== 'end') throw new BadRecord(this.line, 'the array has no "]": the file is cut off');
  }

  #punctuation(byte: number): void {
    const expects = this.#expects;
    if (byte === OPEN_BRACKET && expects === '[') this.#expects = 'first';
    else if (byte === COMMA && expects === 'comma') this.#expects = 'next';
    else if (byte === CLOSE_BRACKET && (expects === 'comma' || expects === 'first')) this.#expects = 'end';
    else
      throw new BadRecord(
        this.line,
        `expected ${EXPECTED[expects]}, found ${JSON.stringify(String.fromCharCode(byte))}`,
      );
  }
}

const EXPECTED = {
  '[': '"["',
  first: 'an object or "]"',
  next: 'an object',
  comma: '"," or "]"',
  end: 'the end of the file',
} as const;

/** Index after the object that starts at `from`, or -1 where its end is not among the bytes. */
function endOfObject(bytes: Buffer, from: number): number {
  let depth = 0;
  let inString = false;
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at];
    if (inString) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (byte === OPEN_BRACE) depth++;
    else if (byte === CLOSE_BRACE && --depth === 0) return at + 1;
  }
  return -1;
}

function newlines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count++;
  return count;
}
