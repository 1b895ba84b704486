import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { MinuteImage } from '../../services/scribble/minute-image.ts';
import { views } from '../../services/scribble/views.ts';
import type { BitmapQuery, ViewHandle } from '../../src/index.ts';
import { median } from '../report/statistics.ts';

const CELLS = 1_000_000;

export interface PngRun {
  readonly name: string;
  /** Milliseconds of the event loop, and until it is there. */
  readonly loopMs: number;
  readonly totalMs: number;
  readonly bytes: number;
}

/** Renders `image.png` of an empty, a typical (lines and blots on a twentieth) and a random canvas. */
export async function renderPngs(times: number): Promise<PngRun[]> {
  const noise = randomBytes(CELLS);
  const canvases: [string, (cell: number) => boolean][] = [
    ['empty', () => false],
    ['typical', strokes()],
    ['random', (cell) => noise[cell]! < 128],
  ];
  const runs: PngRun[] = [];
  for (const [name, isDrawn] of canvases) runs.push(await render(name, await viewOf(isDrawn), times));
  return runs;
}

async function render(name: string, view: ViewHandle<BitmapQuery>, times: number): Promise<PngRun> {
  const [loop, total]: [number[], number[]] = [[], []];
  let bytes = 0;
  for (let i = 0; i < times; i++) {
    const began = performance.now();
    const idleBefore = performance.eventLoopUtilization();
    const { png } = await new MinuteImage({ view }).get();
    loop.push(performance.eventLoopUtilization(idleBefore).active);
    total.push(performance.now() - began);
    bytes = png.length;
  }
  return { name, loopMs: median(loop), totalMs: median(total), bytes };
}

async function viewOf(isDrawn: (cell: number) => boolean): Promise<ViewHandle<BitmapQuery>> {
  const state = views.canvas.build();
  const rows = [];
  for (let index = 0; index < CELLS; index++)
    if (isDrawn(index)) rows.push({ index, color: 0, point_id: index + 1, drawn_at: 1_700_000_000_000_000 });
  state.load('scribble.cells', rows);
  await state.loaded();
  const position = { epoch: 'bench', lsn: 1 };
  const read = (queries: readonly BitmapQuery[]) => ({
    results: queries.map((query) => state.answer(query)),
    position,
    source: 'view',
  });
  return { read: async (queries: readonly BitmapQuery[]) => read(queries) } as unknown as ViewHandle<BitmapQuery>;
}

/** Curves with a brush of three cells: what people draw. */
function strokes(): (cell: number) => boolean {
  const drawn = new Set<number>();
  for (let stroke = 0; stroke < 60; stroke++) {
    let [x, y, angle] = [(stroke * 379) % 1000, (stroke * 613) % 1000, stroke];
    for (let step = 0; step < 300; step++) {
      angle += Math.sin(stroke + step / 40) / 10;
      x += Math.cos(angle);
      y += Math.sin(angle);
      for (let i = 0; i < 9; i++) {
        const [cx, cy] = [Math.round(x) + (i % 3) - 1, Math.round(y) + Math.floor(i / 3) - 1];
        if (cx >= 0 && cx < 1000 && cy >= 0 && cy < 1000) drawn.add(cy * 1000 + cx);
      }
    }
  }
  return (cell) => drawn.has(cell);
}
