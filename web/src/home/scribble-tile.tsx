import { useEffect, useRef, useState } from 'react';
import { CanvasClient } from '../scribble/canvas-client.ts';
import { Picture } from '../scribble/picture.ts';
import { Tile } from './tile.tsx';

/** The canvas, as it is drawn on. */
export default function ScribbleTile() {
  const element = useRef<HTMLCanvasElement>(null);
  const [{ here, blank }, setShown] = useState({ here: 0, blank: false });
  useEffect(() => {
    const client = new CanvasClient();
    const picture = new Picture({ codeAt: (cell) => client.codeAt(cell) });
    const canvas = element.current!;
    let frame = 0;
    const show = () => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        draw(canvas, picture);
      });
    };
    const sized = new ResizeObserver(show);
    sized.observe(canvas);
    client.onPaint((cells) => {
      picture.paint(cells);
      show();
    });
    client.subscribe(() => {
      const { here, blank } = client.state;
      setShown((shown) => (shown.here === here.count && shown.blank === blank ? shown : { here: here.count, blank }));
    });
    const stop = client.start();
    return () => {
      cancelAnimationFrame(frame);
      sized.disconnect();
      stop();
    };
  }, []);
  return (
    <Tile
      name="scribble"
      title="Scribble"
      about="A canvas that thousands draw on"
      command={`curl ${location.origin}/scribble/image.png -o canvas.png`}
    >
      <div className="tile-canvas">
        <canvas ref={element} role="img" aria-label="The canvas, live" />
        {blank && <p>Nothing here yet. Draw the first line.</p>}
      </div>
      <p className="tile-line">
        {here === 1 && 'You are here alone'}
        {here > 1 && (
          <>
            <strong>{here}</strong> are here, you among them
          </>
        )}
      </p>
    </Tile>
  );
}

/** As small as it is shown: scaled by the browser, a thin line would be dots. */
function draw(canvas: HTMLCanvasElement, { element }: Picture): void {
  const side = Math.round(Math.min(canvas.clientWidth, canvas.clientHeight) * devicePixelRatio);
  if (canvas.width !== side) canvas.width = canvas.height = side;
  const context = canvas.getContext('2d')!;
  context.imageSmoothingQuality = 'high';
  context.drawImage(element, 0, 0, side, side);
}
