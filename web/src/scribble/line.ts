import { HEIGHT, WIDTH } from './palette.ts';

export interface Place {
  readonly x: number;
  readonly y: number;
}

/** The cells of a line between two cells, drawn with a round brush, each once. Source: Bresenham, 1965. */
export function lineCells(from: Place, to: Place, brush: number): number[] {
  const cells = new Set<number>();
  const [dx, dy] = [Math.abs(to.x - from.x), -Math.abs(to.y - from.y)];
  const [stepX, stepY] = [Math.sign(to.x - from.x), Math.sign(to.y - from.y)];
  let { x, y } = from;
  let error = dx + dy;
  for (;;) {
    dab(cells, x, y, brush);
    if (x === to.x && y === to.y) return [...cells];
    const doubled = 2 * error;
    if (doubled >= dy) {
      error += dy;
      x += stepX;
    }
    if (doubled <= dx) {
      error += dx;
      y += stepY;
    }
  }
}

function dab(cells: Set<number>, x: number, y: number, brush: number): void {
  const radius = (brush - 1) / 2;
  const reach = Math.floor(radius);
  for (let j = -reach; j <= reach; j++) {
    for (let i = -reach; i <= reach; i++) {
      const outside = x + i < 0 || x + i >= WIDTH || y + j < 0 || y + j >= HEIGHT;
      if (!outside && i * i + j * j <= radius * radius + 0.5) cells.add((y + j) * WIDTH + x + i);
    }
  }
}
