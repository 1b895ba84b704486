import { HEIGHT, PIXELS, WIDTH } from './palette.ts';

/** The canvas as pixels, one a cell, off screen: only what changed is put there again. */
export class Picture {
  readonly element = document.createElement('canvas');
  readonly #context: CanvasRenderingContext2D;
  readonly #image = new ImageData(WIDTH, HEIGHT);
  readonly #pixels = new Uint32Array(this.#image.data.buffer);
  readonly #codeAt: (cell: number) => number;

  constructor(options: { codeAt(cell: number): number }) {
    this.#codeAt = options.codeAt;
    this.element.width = WIDTH;
    this.element.height = HEIGHT;
    this.#context = this.element.getContext('2d', { willReadFrequently: true })!;
    this.#pixels.fill(PIXELS[0]!);
    this.#context.putImageData(this.#image, 0, 0);
  }

  /** The picture of the last minute, until the canvas itself is here. */
  preview(image: CanvasImageSource): void {
    this.#context.drawImage(image, 0, 0);
  }

  paint(cells: Iterable<number> | 'all'): void {
    if (cells === 'all') {
      for (let cell = 0; cell < WIDTH * HEIGHT; cell++) this.#pixels[cell] = PIXELS[this.#codeAt(cell)]!;
      this.#context.putImageData(this.#image, 0, 0);
      return;
    }
    let [left, top, right, bottom] = [WIDTH, HEIGHT, -1, -1];
    for (const cell of cells) {
      this.#pixels[cell] = PIXELS[this.#codeAt(cell)]!;
      const x = cell % WIDTH;
      const y = (cell - x) / WIDTH;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
    if (right >= 0) this.#context.putImageData(this.#image, 0, 0, left, top, right - left + 1, bottom - top + 1);
  }
}
