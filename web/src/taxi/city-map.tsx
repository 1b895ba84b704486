import { useEffect, useRef } from 'react';
import './city-map.css';
import { HEIGHT, type LonLat, project, SHAPES, WIDTH } from './projection.ts';
import { LINGER_MS, type Shown } from './use-trips.ts';

/** The boroughs, and on them each trip that changes: a ring where one is booked, a dot under way, a line where it went. */
export function CityMap({ trips }: { readonly trips: ReadonlyMap<string, Shown> }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => draw(canvas.current!, trips), [trips]);
  return (
    <div className="city-map" style={{ aspectRatio: `${WIDTH} / ${HEIGHT}` }}>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label="Map of New York's five boroughs">
        {SHAPES.map(({ name, path }) => (
          <path key={name} d={path} />
        ))}
        {SHAPES.map(({ name, label: [x, y], beside }) => (
          <text key={name} x={x} y={y} data-beside={beside || undefined}>
            {name}
          </text>
        ))}
      </svg>
      <canvas ref={canvas} />
    </div>
  );
}

/** Draws the trips in each frame, until the returned function is called. */
function draw(canvas: HTMLCanvasElement, trips: ReadonlyMap<string, Shown>): () => void {
  const context = canvas.getContext('2d')!;
  const still = matchMedia('(prefers-reduced-motion: reduce)');
  let frame = requestAnimationFrame(paint);
  return () => cancelAnimationFrame(frame);

  function paint(now: number): void {
    const ratio = devicePixelRatio;
    const { clientWidth, clientHeight } = canvas;
    if (canvas.width !== Math.round(clientWidth * ratio)) {
      canvas.width = Math.round(clientWidth * ratio);
      canvas.height = Math.round(clientHeight * ratio);
    }
    const scale = canvas.width / WIDTH;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, WIDTH, HEIGHT);
    const pen = { context, colours: coloursOf(canvas), size: Math.max(1, 700 / clientWidth), still: still.matches };
    for (const trip of trips.values()) drawTrip(pen, trip, Math.max(0, now - trip.since));
    frame = requestAnimationFrame(paint);
  }
}

interface Pen {
  readonly context: CanvasRenderingContext2D;
  readonly colours: Readonly<Record<'booked' | 'driving' | 'done', string>>;
  /** Of a dot, in the map's units. */
  readonly size: number;
  readonly still: boolean;
}

function coloursOf(canvas: HTMLCanvasElement): Pen['colours'] {
  // A custom property is not resolved to the theme's colour; these are.
  const { color, outlineColor, caretColor } = getComputedStyle(canvas);
  return { booked: color, driving: outlineColor, done: caretColor };
}

function drawTrip(pen: Pen, { status, from, to }: Shown, age: number): void {
  const { context, colours, size, still } = pen;
  context.globalAlpha = 1;
  if (status === 'Booked' && from) {
    const pulse = still ? 0 : Math.max(0, 1 - age / 600);
    ring(context, from, size * (3.5 + pulse * 7), colours.booked, size * 1.4);
  } else if (status === 'InProgress' && from) dot(context, from, size * 3.4, colours.driving);
  else if (status === 'Completed' && from && to) {
    const reached = still ? 1 : Math.min(1, age / 900);
    const at: LonLat = [from[0] + (to[0] - from[0]) * reached, from[1] + (to[1] - from[1]) * reached];
    context.globalAlpha = Math.max(0, Math.min(1, (LINGER_MS - age) / 1000));
    line(context, from, at, colours.done, size * 1.3);
    dot(context, at, size * 3.2, colours.done);
  }
}

function dot(context: CanvasRenderingContext2D, at: LonLat, radius: number, colour: string): void {
  context.fillStyle = colour;
  context.beginPath();
  context.arc(...project(at), radius, 0, 2 * Math.PI);
  context.fill();
}

function ring(context: CanvasRenderingContext2D, at: LonLat, radius: number, colour: string, width: number): void {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.beginPath();
  context.arc(...project(at), radius, 0, 2 * Math.PI);
  context.stroke();
}

function line(context: CanvasRenderingContext2D, from: LonLat, to: LonLat, colour: string, width: number): void {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.beginPath();
  context.moveTo(...project(from));
  context.lineTo(...project(to));
  context.stroke();
}
