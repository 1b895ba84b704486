import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Position } from '../changes/position.ts';
import type { Answer, ReadOptions, ViewHandle } from '../live/live.ts';
import type { ResultsOf, ViewQuery } from '../views/view.ts';
import { type JsonText, jsonText, sendJson } from './json-answer.ts';
import { minPosition } from './positions.ts';

/** What one entry costs besides its text, roughly: its objects, and the headers among its bytes. */
const ENTRY_OVERHEAD = 512;

export interface CachedAnswersOptions {
  /** Bodies and keys kept, in bytes; 16 MiB unless told. */
  readonly maxBytes?: number;
  /** Milliseconds since 1970: the clock by which answers end. */
  readonly now?: () => number;
}

export interface CachedQuestion<Queries extends readonly ViewQuery<unknown>[]> {
  /** Everything the body depends on besides the view: `top 2026-11-20 5`. */
  readonly key: string;
  /** Made only when the answer is not cached. */
  queries(): Queries;
  /** The results as the JSON value to send. */
  body(results: ResultsOf<Queries>): unknown;
  /** When the answer ends although nothing changes, because something in it expires: milliseconds since 1970. Never unless told. */
  until?(results: ResultsOf<Queries>): number;
}

interface Body extends JsonText {
  readonly until: number;
  /** Where it was read: a store may be ahead of what this node knows. */
  readonly position: Position;
}

/** A reading of a view that cannot answer at once, under way. */
interface Reading {
  /** The view's when it began. */
  readonly version: number;
  readonly answer: Promise<Read>;
}

interface Read {
  readonly body: Body;
  readonly source: Answer<unknown>['source'];
}

/**
 * Answers from one view as JSON text, kept until the view changes or something in them expires. What is sent is what the view
 * would answer now, at its present position: a view that cannot answer now is never covered up by an older answer (SPEC 5).
 *
 * Of a view in a store, that is what this node knows of it: nothing that touches it lies between where the answer was read and
 * where this node stands. Askers of the same share one reading.
 */
export class CachedAnswers<Query extends ViewQuery<unknown>> {
  readonly #view: ViewHandle<Query>;
  readonly #maxBytes: number;
  readonly #now: () => number;
  readonly #bodies = new Map<string, Body>();
  readonly #readings = new Map<string, Reading>();
  #version = -1;
  #bytes = 0;

  constructor(view: ViewHandle<Query>, options: CachedAnswersOptions = {}) {
    this.#view = view;
    this.#maxBytes = options.maxBytes ?? 2 ** 24;
    this.#now = options.now ?? Date.now;
  }

  /**
   * Sends the answer, from the cache or the view, otherwise from the record; waits for `Lockstep-Min-Position`. It has the
   * headers of a JSON answer and its position; others that were set on `reply` may be left out.
   */
  send<const Queries extends readonly Query[]>(
    request: FastifyRequest,
    reply: FastifyReply,
    question: CachedQuestion<Queries>,
  ): FastifyReply | Promise<FastifyReply> {
    const min = minPosition(request);
    const behind = min && !this.#view.readNow([], min);
    const sent = behind ? undefined : (this.#sendCached(reply, question.key) ?? this.#sendNow(reply, question));
    return sent ?? this.#sendRead(reply, min ? this.#read(question, { minPosition: min }) : this.#readShared(question));
  }

  #sendCached(reply: FastifyReply, key: string): FastifyReply | undefined {
    if (this.#view.version !== this.#version) return undefined;
    const body = this.#bodies.get(key);
    if (!body || (body.until !== Number.POSITIVE_INFINITY && body.until <= this.#now())) return undefined;
    const now = this.#view.readNow([]);
    if (!now || now.position.epoch !== body.position.epoch) return undefined;
    return sendJson(reply, now.position.lsn < body.position.lsn ? { ...now, position: body.position } : now, body);
  }

  #sendNow<const Queries extends readonly Query[]>(
    reply: FastifyReply,
    question: CachedQuestion<Queries>,
  ): FastifyReply | undefined {
    const answer = this.#view.readNow(question.queries());
    if (!answer) return undefined;
    const body = bodyOf(question, answer);
    if (answer.source === 'view') this.#keep(question.key, body);
    return sendJson(reply, answer, body);
  }

  async #sendRead(reply: FastifyReply, read: Promise<Read>): Promise<FastifyReply> {
    const { body, source } = await read;
    return sendJson(reply, { position: body.position, source }, body);
  }

  /**
   * Joins a reading that is under way where nothing has touched the view since it began. The record's answers are not shared: they
   * are as new as the asker's own writes, which the view may not have applied.
   */
  #readShared<const Queries extends readonly Query[]>(question: CachedQuestion<Queries>): Promise<Read> {
    if (!this.#view.readNow([])) return this.#read(question);
    const { version } = this.#view;
    const { key } = question;
    const underWay = this.#readings.get(key);
    if (underWay?.version === version) return underWay.answer;
    const answer = this.#read(question).then((read) => {
      if (read.source === 'view' && this.#view.version === version) this.#keep(key, read.body);
      return read;
    });
    const reading = { version, answer };
    this.#readings.set(key, reading);
    const ended = () => this.#readings.get(key) === reading && this.#readings.delete(key);
    answer.then(ended, ended);
    return answer;
  }

  async #read<const Queries extends readonly Query[]>(
    question: CachedQuestion<Queries>,
    options?: ReadOptions,
  ): Promise<Read> {
    const answer = await this.#view.read(question.queries(), options);
    return { body: bodyOf(question, answer), source: answer.source };
  }

  /** Called in the turn of the read: the body is of the view's present version. The oldest make room. */
  #keep(key: string, body: Body): void {
    if (this.#view.version !== this.#version) {
      this.#bodies.clear();
      this.#bytes = 0;
      this.#version = this.#view.version;
    }
    this.#drop(key);
    this.#bodies.set(key, body);
    this.#bytes += sizeOf(key, body);
    for (const oldest of this.#bodies.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    const body = this.#bodies.get(key);
    if (!body) return;
    this.#bodies.delete(key);
    this.#bytes -= sizeOf(key, body);
  }
}

function bodyOf<const Queries extends readonly ViewQuery<unknown>[]>(
  question: CachedQuestion<Queries>,
  { results, position }: Answer<ResultsOf<Queries>>,
): Body {
  const until = question.until?.(results) ?? Number.POSITIVE_INFINITY;
  return { ...jsonText(JSON.stringify(question.body(results))), until, position };
}

/** At most: its text, and its bytes; a string without a character above U+00FF takes half. */
function sizeOf(key: string, body: Body): number {
  return (key.length + body.text.length) * 2 + Number(body.length) + ENTRY_OVERHEAD;
}
