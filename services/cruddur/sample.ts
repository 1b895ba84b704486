import { randomFrom } from '../../src/index.ts';

/** Text that people might write, the same for the same seed. */
export class SampleText {
  readonly #random: () => number;

  constructor(options: { seed: number }) {
    this.#random = randomFrom(options.seed);
  }

  post(): string {
    return `${this.#one(OPENINGS)} ${this.#one(SUBJECTS)} ${this.#one(VERBS)} ${this.#one(ENDINGS)}`;
  }

  message(): string {
    return this.below(4) === 0 ? `${this.#one(QUESTIONS)}` : `${this.#one(ANSWERS)} ${this.post()}`;
  }

  below(bound: number): number {
    return Math.floor(this.#random() * bound);
  }

  #one(of: readonly string[]): string {
    return of[this.below(of.length)]!;
  }
}

const OPENINGS = [
  'This morning',
  'Finally:',
  'I never thought that',
  'Good news,',
  'It seems that',
  'Tonight',
  'At last',
];
const SUBJECTS = [
  'the old bridge',
  'our choir',
  'the bakery',
  'a heron',
  'the night train',
  'my neighbour',
  'the garden',
];
const VERBS = ['is back on', 'has found', 'sings about', 'was seen near', 'opened', 'paints', 'waits for'];
const ENDINGS = [
  'the river.',
  'the market square!',
  'a quiet corner.',
  'the first snow.',
  'Platform 3.',
  'the harbour.',
];
const QUESTIONS = ['Have you seen it?', 'Shall we meet on Sunday?', 'How did it end?', 'Are you on the train yet?'];
const ANSWERS = ['Yes.', 'You will laugh.', 'I was there.', 'Honestly,', 'Listen:', 'Not yet.', 'As you said.'];
