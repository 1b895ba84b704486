import { lineCells, type Place } from './line.ts';
import { HEIGHT, WIDTH } from './palette.ts';
import type { ViewPort } from './view-port.ts';

export interface Tool {
  /** A code to draw with (0 erases), or `null` for moving the canvas. */
  readonly code: number | null;
  readonly brush: number;
}

interface GestureOptions {
  readonly element: HTMLCanvasElement;
  readonly port: ViewPort;
  tool(): Tool;
  draw(dots: (readonly [number, number])[]): void;
  /** Something is to be shown anew: the part that is seen, or the cursor. */
  moved(): void;
}

/**
 * Mouse, pen, touch and keyboard on the canvas. One finger, the pen or the main button draws; two fingers, another button, or the
 * hand tool move; the wheel and two fingers zoom; arrow keys move a cursor, space draws.
 */
export class Gestures {
  /** Where the keyboard draws; null until it is used. */
  cursor: Place | null = null;
  readonly #options: GestureOptions;
  readonly #touching = new Map<number, Place>();
  #last: Place | null = null;
  #panning = false;

  constructor(options: GestureOptions) {
    this.#options = options;
  }

  /** Listens until the returned function is called. */
  listen(): () => void {
    const { element } = this.#options;
    const end = new AbortController();
    const options = { signal: end.signal };
    element.addEventListener('pointerdown', (event) => this.#down(event), options);
    element.addEventListener('pointermove', (event) => this.#move(event), options);
    for (const type of ['pointerup', 'pointercancel'] as const)
      element.addEventListener(type, (event) => this.#up(event), options);
    element.addEventListener('wheel', (event) => this.#wheel(event), { ...options, passive: false });
    element.addEventListener('keydown', (event) => this.#key(event), options);
    element.addEventListener('contextmenu', (event) => event.preventDefault(), options);
    return () => end.abort();
  }

  #down(event: PointerEvent): void {
    const { element, tool } = this.#options;
    element.setPointerCapture(event.pointerId);
    this.#touching.set(event.pointerId, placeOf(event));
    this.#panning = this.#touching.size > 1 || event.button > 0 || tool().code === null;
    this.#last = null;
    this.cursor = null;
    // A finger may be the first of two: it draws when it moves, or comes up alone.
    if (!this.#panning && event.pointerType !== 'touch') this.#drawTo(placeOf(event));
  }

  #move(event: PointerEvent): void {
    const before = this.#touching.get(event.pointerId);
    if (!before) return;
    const now = placeOf(event);
    if (this.#touching.size > 1) this.#pinch(event.pointerId, before, now);
    else if (this.#panning) this.#options.port.move(now.x - before.x, now.y - before.y);
    else {
      this.#last ??= this.#options.port.cellAt(before);
      const events = event.getCoalescedEvents?.() ?? [];
      for (const each of events.length > 0 ? events : [event]) this.#drawTo(placeOf(each));
    }
    this.#touching.set(event.pointerId, now);
    this.#options.moved();
  }

  #up(event: PointerEvent): void {
    const isTap = event.type === 'pointerup' && this.#last === null && !this.#panning;
    if (isTap && this.#touching.has(event.pointerId)) this.#drawTo(placeOf(event));
    this.#touching.delete(event.pointerId);
    this.#last = null;
    // The finger that stays goes on moving the canvas, and does not draw.
    if (this.#touching.size === 0) this.#panning = false;
  }

  #pinch(id: number, before: Place, now: Place): void {
    const other = [...this.#touching].find(([each]) => each !== id)![1];
    const { port } = this.#options;
    port.move((now.x - before.x) / 2, (now.y - before.y) / 2);
    const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
    port.zoom(distance(now, other) / Math.max(1, distance(before, other)), middle);
  }

  #wheel(event: WheelEvent): void {
    event.preventDefault();
    this.#options.port.zoom(Math.exp(-event.deltaY / 400), placeOf(event));
    this.#options.moved();
  }

  #key(event: KeyboardEvent): void {
    const { port, tool, moved } = this.#options;
    const by = event.shiftKey ? 10 : 1;
    const step = { ArrowLeft: [-by, 0], ArrowRight: [by, 0], ArrowUp: [0, -by], ArrowDown: [0, by] }[event.key];
    if (step) {
      const { x, y } = this.cursor ?? { x: WIDTH / 2, y: HEIGHT / 2 };
      this.cursor = { x: within(x + step[0]!, WIDTH), y: within(y + step[1]!, HEIGHT) };
      port.show(this.cursor);
    } else if ((event.key === ' ' || event.key === 'Enter') && tool().code !== null) {
      this.cursor ??= { x: WIDTH / 2, y: HEIGHT / 2 };
      this.#line(this.cursor, this.cursor);
    } else if (event.key === '+' || event.key === '=') port.zoom(1.5);
    else if (event.key === '-') port.zoom(1 / 1.5);
    else if (event.key === '0') port.fit();
    else return;
    event.preventDefault();
    moved();
  }

  #drawTo(place: Place): void {
    const cell = this.#options.port.cellAt(place);
    this.#line(this.#last ?? cell, cell);
    this.#last = cell;
  }

  #line(from: Place, to: Place): void {
    const { code, brush } = this.#options.tool();
    if (code === null) return;
    this.#options.draw(lineCells(from, to, brush).map((cell) => [cell, code] as const));
  }
}

/** From the corner inside the element's border. */
function placeOf(event: MouseEvent): Place {
  const element = event.target as Element;
  const { left, top } = element.getBoundingClientRect();
  return { x: event.clientX - left - element.clientLeft, y: event.clientY - top - element.clientTop };
}

function distance(a: Place, b: Place): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

function within(value: number, size: number): number {
  return Math.min(size - 1, Math.max(0, value));
}
