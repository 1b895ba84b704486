import type { Place } from './line.ts';
import { HEIGHT, WIDTH } from './palette.ts';

const MAX_SCALE = 40;

/** What part of the canvas is seen: `scale` screen pixels a cell, the canvas' corner at `left`, `top`. In CSS pixels. */
export class ViewPort {
  scale = 1;
  left = 0;
  top = 0;
  #width = 0;
  #height = 0;
  #fitted = false;

  /** The window has this size now; the first time, and as long as all of it is seen, the canvas is fitted into it. */
  resize(width: number, height: number): void {
    const whole = !this.#fitted || this.scale <= this.#least;
    this.#width = width;
    this.#height = height;
    if (whole) this.fit();
    else this.#hold();
    this.#fitted = true;
  }

  fit(): void {
    this.scale = this.#least;
    this.#hold();
  }

  /** Zooms about a place on the screen, which stays where it is. */
  zoom(factor: number, at: Place = { x: this.#width / 2, y: this.#height / 2 }): void {
    const scale = Math.min(MAX_SCALE, Math.max(this.#least, this.scale * factor));
    this.left = at.x - ((at.x - this.left) * scale) / this.scale;
    this.top = at.y - ((at.y - this.top) * scale) / this.scale;
    this.scale = scale;
    this.#hold();
  }

  move(dx: number, dy: number): void {
    this.left += dx;
    this.top += dy;
    this.#hold();
  }

  /** The cell at a place on the screen; it may lie outside. */
  cellAt({ x, y }: Place): Place {
    return { x: Math.floor((x - this.left) / this.scale), y: Math.floor((y - this.top) / this.scale) };
  }

  /** Brings a cell into sight. */
  show({ x, y }: Place): void {
    const margin = 24;
    const [screenX, screenY] = [this.left + (x + 0.5) * this.scale, this.top + (y + 0.5) * this.scale];
    this.move(
      Math.max(0, margin - screenX) - Math.max(0, screenX - this.#width + margin),
      Math.max(0, margin - screenY) - Math.max(0, screenY - this.#height + margin),
    );
  }

  get #least(): number {
    return Math.min(this.#width / WIDTH, this.#height / HEIGHT) || 1;
  }

  /** Keeps the canvas in the window, or in its middle where it is the smaller of the two. */
  #hold(): void {
    this.left = held(this.left, this.#width, WIDTH * this.scale);
    this.top = held(this.top, this.#height, HEIGHT * this.scale);
  }
}

function held(start: number, window: number, size: number): number {
  if (size <= window) return (window - size) / 2;
  return Math.min(0, Math.max(window - size, start));
}
