import { BOROUGHS } from './boroughs.ts';

export type LonLat = readonly [longitude: number, latitude: number];

/** What the map shows, in degrees. */
const WEST = -74.28;
const EAST = -73.68;
const SOUTH = 40.485;
const NORTH = 40.935;
/** A degree of longitude is so much of one of latitude there. */
const SQUEEZE = Math.cos((40.71 * Math.PI) / 180);

/** Size of the map in its own units. */
export const WIDTH = 1000;
export const HEIGHT = Math.round((WIDTH * (NORTH - SOUTH)) / ((EAST - WEST) * SQUEEZE));

export function project([longitude, latitude]: LonLat): readonly [x: number, y: number] {
  return [((longitude - WEST) / (EAST - WEST)) * WIDTH, ((NORTH - latitude) / (NORTH - SOUTH)) * HEIGHT];
}

export interface Shape {
  readonly name: string;
  readonly path: string;
  /** Where its name stands in the middle; beside, where it ends. */
  readonly label: readonly [x: number, y: number];
  readonly beside: boolean;
}

/** West of it, over the river: it is narrower than its name. */
const BESIDE: Readonly<Record<string, LonLat>> = { Manhattan: [-74.024, 40.775] };

export const SHAPES: readonly Shape[] = BOROUGHS.map(({ name, rings }) => {
  const points = rings.map((ring) => ring.map(([x, y]) => project([x!, y!])));
  const beside = BESIDE[name];
  const label = beside ? project(beside) : centroid(points[0]!);
  return { name, path: points.map(smooth).join(' '), label, beside: beside !== undefined };
});

/** Of the area, not of the corners, which lie close where a coast is crooked. */
function centroid(ring: readonly (readonly [number, number])[]): [number, number] {
  let [twice, left, top] = [0, 0, 0];
  for (const [i, [x, y]] of ring.entries()) {
    const [nextX, nextY] = ring[(i + 1) % ring.length]!;
    const cross = x * nextY - nextX * y;
    twice += cross;
    left += (x + nextX) * cross;
    top += (y + nextY) * cross;
  }
  return [left / (3 * twice), top / (3 * twice)];
}

/** A closed curve through the points (Catmull-Rom as Bézier curves, half as tight). */
function smooth(ring: readonly (readonly [number, number])[]): string {
  const points = ring.slice(0, -1); // the last is the first again
  const at = (i: number) => points[(i + points.length) % points.length]!;
  const curves = points.map((point, i) => {
    const [before, next, after] = [at(i - 1), at(i + 1), at(i + 2)];
    const out = control(point, before, next, 1);
    const into = control(next, point, after, -1);
    return `C${out} ${into} ${round(next)}`;
  });
  return `M${round(at(0))}${curves.join('')}Z`;
}

function control(
  point: readonly [number, number],
  a: readonly [number, number],
  b: readonly [number, number],
  side: number,
): string {
  return round([point[0] + (side * (b[0] - a[0])) / 9, point[1] + (side * (b[1] - a[1])) / 9]);
}

function round([x, y]: readonly [number, number]): string {
  return `${x.toFixed(1)},${y.toFixed(1)}`;
}
