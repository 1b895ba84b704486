import type { TopicMessage } from './live.ts';

/** One message for all its subscribers: each encoding is made once, when the first of them needs it. */
export class EncodedMessage {
  readonly topic: string;
  readonly event: TopicMessage['event'];
  readonly position: string;
  readonly previous: string | null;
  /** The message's data as JSON text. */
  readonly data: string;
  #json: string | undefined;
  #sse: Buffer | undefined;

  constructor(message: Omit<TopicMessage, 'data'> & { data: string }) {
    this.topic = message.topic;
    this.event = message.event;
    this.position = message.position;
    this.previous = message.previous;
    this.data = message.data;
  }

  /** A `TopicMessage` as JSON: a WebSocket text frame. */
  json(): string {
    this.#json ??=
      `{"topic":${JSON.stringify(this.topic)},"event":"${this.event}","position":"${this.position}",` +
      `"previous":${this.previous === null ? 'null' : `"${this.previous}"`},"data":${this.data}}`;
    return this.#json;
  }

  /** A server-sent event: `id` is the position, `event` the kind, `data` the data alone (JSON has no raw line breaks). */
  sse(): Buffer {
    this.#sse ??= Buffer.from(`id: ${this.position}\nevent: ${this.event}\ndata: ${this.data}\n\n`);
    return this.#sse;
  }
}
