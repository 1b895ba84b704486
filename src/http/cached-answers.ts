import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Answer, ViewHandle } from '../live/live.ts';
import type { ResultsOf, ViewQuery } from '../views/view.ts';
import { describeAnswer, minPosition } from './positions.ts';

/** What one entry costs besides its bytes, roughly. */
const ENTRY_OVERHEAD = 256;

export interface CachedAnswersOptions {
  /** Bodies and keys kept, in bytes; 16 MiB unless told. */
  readonly maxBytes?: number;
}

export interface CachedQuestion<Queries extends readonly ViewQuery<unknown>[]> {
  /** Everything the body depends on besides the view: `top 2026-11-20 5`. */
  readonly key: string;
  /** Made only when the answer is not cached. */
  queries(): Queries;
  /** The results as the JSON value to send. */
  body(results: ResultsOf<Queries>): unknown;
}

/**
 * Answers from one view as JSON bytes, kept until the view changes. What is sent is what the view would answer now, at its
 * present position: a view that cannot answer now is never covered up by an older answer (SPEC 5).
 */
export class CachedAnswers<Query extends ViewQuery<unknown>> {
  readonly #view: ViewHandle<Query>;
  readonly #maxBytes: number;
  readonly #bodies = new Map<string, Buffer>();
  #version = -1;
  #bytes = 0;

  constructor(view: ViewHandle<Query>, options: CachedAnswersOptions = {}) {
    this.#view = view;
    this.#maxBytes = options.maxBytes ?? 2 ** 24;
  }

  /** Sends the answer, from the cache or the view, otherwise from the record; waits for `Lockstep-Min-Position`. */
  send<const Queries extends readonly Query[]>(
    request: FastifyRequest,
    reply: FastifyReply,
    question: CachedQuestion<Queries>,
  ): FastifyReply | Promise<FastifyReply> {
    const min = minPosition(request);
    if (min) return this.#sendRead(reply, question, min);
    return this.#sendCached(reply, question) ?? this.#sendNow(reply, question) ?? this.#sendRead(reply, question);
  }

  #sendCached(reply: FastifyReply, { key }: { readonly key: string }): FastifyReply | undefined {
    if (this.#view.version !== this.#version) return undefined;
    const body = this.#bodies.get(key);
    const now = body && this.#view.readNow([]);
    return now && send(reply, now, body);
  }

  #sendNow<const Queries extends readonly Query[]>(
    reply: FastifyReply,
    question: CachedQuestion<Queries>,
  ): FastifyReply | undefined {
    const answer = this.#view.readNow(question.queries());
    if (!answer) return undefined;
    const body = encode(question.body(answer.results));
    if (answer.source === 'view') this.#keep(question.key, body);
    return send(reply, answer, body);
  }

  async #sendRead<const Queries extends readonly Query[]>(
    reply: FastifyReply,
    question: CachedQuestion<Queries>,
    min?: ReturnType<typeof minPosition>,
  ): Promise<FastifyReply> {
    const answer = await this.#view.read(question.queries(), min && { minPosition: min });
    return send(reply, answer, encode(question.body(answer.results)));
  }

  /** Called in the turn of the read: the body is of the view's present version. The oldest make room. */
  #keep(key: string, body: Buffer): void {
    if (this.#view.version !== this.#version) {
      this.#bodies.clear();
      this.#bytes = 0;
      this.#version = this.#view.version;
    }
    this.#drop(key);
    const size = sizeOf(key, body);
    if (size > this.#maxBytes) return;
    this.#bodies.set(key, body);
    this.#bytes += size;
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

function sizeOf(key: string, body: Buffer): number {
  return key.length * 2 + body.length + ENTRY_OVERHEAD;
}

function encode(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function send(reply: FastifyReply, answer: Answer<unknown>, body: Buffer): FastifyReply {
  return describeAnswer(reply, answer).header('content-type', 'application/json; charset=utf-8').send(body);
}
