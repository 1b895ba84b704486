import { useEffect, useRef, useState } from 'react';
import { CanvasClient } from '../scribble/canvas-client.ts';
import { HEIGHT, WIDTH } from '../scribble/palette.ts';
import { Picture } from '../scribble/picture.ts';
import { Tile } from './tile.tsx';

/** The canvas, as it is drawn on. */
export default function ScribbleTile() {
  const element = useRef<HTMLCanvasElement>(null);
  const [here, setHere] = useState(0);
  useEffect(() => {
    const client = new CanvasClient();
    const picture = new Picture({ codeAt: (cell) => client.codeAt(cell) });
    const context = element.current!.getContext('2d')!;
    let frame = 0;
    const show = () => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        context.drawImage(picture.element, 0, 0);
      });
    };
    client.onPaint((cells) => {
      picture.paint(cells);
      show();
    });
    client.subscribe(() => setHere(client.state.here.count));
    const stop = client.start();
    return () => {
      cancelAnimationFrame(frame);
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
        <canvas ref={element} width={WIDTH} height={HEIGHT} role="img" aria-label="The canvas, live" />
      </div>
      <p className="tile-line">
        {here > 0 && (
          <>
            <strong>{here}</strong> {here === 1 ? 'is' : 'are'} here, you among them
          </>
        )}
      </p>
    </Tile>
  );
}
