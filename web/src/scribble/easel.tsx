import { useEffect, useRef } from 'react';
import type { CanvasClient } from './canvas-client.ts';
import { Gestures, type Tool } from './gestures.ts';
import { HEIGHT, WIDTH } from './palette.ts';
import { Picture } from './picture.ts';
import { ViewPort } from './view-port.ts';

/** What the buttons beside the canvas do to it. */
export interface EaselHandle {
  zoom(factor: number): void;
  fit(): void;
}

interface EaselProps {
  readonly client: CanvasClient;
  readonly tool: Tool;
  readonly handle: React.RefObject<EaselHandle | null>;
}

/** The canvas on the screen: what is seen of it is drawn once a frame, when something changed. */
export function Easel({ client, tool, handle }: EaselProps) {
  const element = useRef<HTMLCanvasElement>(null);
  const latest = useRef(tool);
  latest.current = tool;

  useEffect(() => {
    const canvas = element.current!;
    const picture = new Picture({ codeAt: (cell) => client.codeAt(cell) });
    const port = new ViewPort();
    let frame = 0;
    const show = () => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        render(canvas, picture, port, gestures);
      });
    };
    const gestures: Gestures = new Gestures({
      ...{ element: canvas, port, tool: () => latest.current, moved: show },
      draw: (dots) => client.draw(dots),
    });
    const sized = new ResizeObserver(([entry]) => {
      const { width, height } = entry!.contentRect;
      canvas.width = Math.round(width * devicePixelRatio);
      canvas.height = Math.round(height * devicePixelRatio);
      port.resize(width, height);
      show();
    });
    sized.observe(canvas);
    let isHere = false;
    const unpaint = client.onPaint((cells) => {
      isHere ||= cells === 'all';
      picture.paint(cells);
      show();
    });
    const preview = new Image();
    preview.onload = () => {
      if (isHere) return;
      picture.preview(preview);
      show();
    };
    preview.src = '/scribble/image.png';
    picture.paint('all');
    const unlisten = gestures.listen();
    handle.current = {
      zoom(factor) {
        port.zoom(factor);
        show();
      },
      fit() {
        port.fit();
        show();
      },
    };
    return () => {
      cancelAnimationFrame(frame);
      sized.disconnect();
      unpaint();
      unlisten();
    };
  }, [client, handle]);

  return (
    // biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: it takes all keys itself, as an application does
    <canvas
      ref={element}
      className="easel"
      data-hand={tool.code === null || undefined}
      tabIndex={0}
      role="application"
      aria-label="Canvas. Arrow keys move the cursor, with Shift by ten; space draws; plus, minus and zero zoom."
    />
  );
}

function render(canvas: HTMLCanvasElement, picture: Picture, port: ViewPort, { cursor }: Gestures): void {
  const context = canvas.getContext('2d')!;
  const { scale, left, top } = port;
  context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingEnabled = scale * devicePixelRatio < 1;
  context.drawImage(picture.element, left, top, WIDTH * scale, HEIGHT * scale);
  if (!cursor) return;
  const size = Math.max(scale, 5);
  const [x, y] = [left + (cursor.x + 0.5) * scale - size / 2, top + (cursor.y + 0.5) * scale - size / 2];
  for (const [color, grow] of [
    ['white', 2],
    ['black', 1],
  ] as const) {
    context.strokeStyle = color;
    context.strokeRect(x - grow, y - grow, size + 2 * grow, size + 2 * grow);
  }
}
