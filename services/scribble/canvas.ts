/** Cells of the canvas, across and down. */
export const WIDTH = 1000;
export const HEIGHT = 1000;

/** The palette, by colour; colour 0 is what a plain point is drawn in. */
export const PALETTE: readonly string[] = [
  ...['#1a1c2c', '#5d275d', '#b13e53', '#ef7d57', '#ffcd75', '#a7f070', '#38b764', '#257179'],
  ...['#29366f', '#3b5dc9', '#41a6f6', '#73eff7', '#94b0c2', '#566c86', '#8b5a2b', '#ff77a8'],
];

/** What a cell without a colour shows. */
export const PAPER = '#ffffff';

/** A cell and what becomes of it: a colour of the palette, or null to clear it. */
export interface Point {
  /** `y * WIDTH + x` */
  readonly index: number;
  readonly color: number | null;
}
