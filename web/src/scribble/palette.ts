/** The colours before the server has said which there are: the same. */
export const PALETTE: readonly (readonly [color: string, name: string])[] = [
  ['#1a1c2c', 'Ink'],
  ['#5d275d', 'Plum'],
  ['#b13e53', 'Red'],
  ['#ef7d57', 'Orange'],
  ['#ffcd75', 'Yellow'],
  ['#a7f070', 'Lime'],
  ['#38b764', 'Green'],
  ['#257179', 'Teal'],
  ['#29366f', 'Navy'],
  ['#3b5dc9', 'Blue'],
  ['#41a6f6', 'Sky'],
  ['#73eff7', 'Aqua'],
  ['#94b0c2', 'Silver'],
  ['#566c86', 'Slate'],
  ['#8b5a2b', 'Brown'],
  ['#ff77a8', 'Pink'],
];

export const WIDTH = 1000;
export const HEIGHT = 1000;

/** By code (0 is clear, otherwise the colour + 1), as `ImageData` wants it: bytes in the order red, green, blue, alpha. */
export const PIXELS: readonly number[] = ['#ffffff', ...PALETTE.map(([color]) => color)].map(pixelOf);

function pixelOf(color: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16)) as [
    number,
    number,
    number,
  ];
  const bytes = Uint8Array.of(red, green, blue, 255);
  return new Uint32Array(bytes.buffer)[0]!;
}
