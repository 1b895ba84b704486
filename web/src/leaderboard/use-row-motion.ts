import { type RefObject, useLayoutEffect, useRef } from 'react';

const MOVE: KeyframeAnimationOptions = { duration: 420, easing: 'cubic-bezier(0.22, 1, 0.36, 1)' };
const FLASH: KeyframeAnimationOptions = { duration: 2200, easing: 'ease-out' };

/**
 * Lets the rows of a table glide to their new places and marks the new ones, after each render in which `entries` changed.
 * Rows are told apart by `data-key`. Another `subject` (another day) starts anew, without motion.
 */
export function useRowMotion(body: RefObject<HTMLTableSectionElement | null>, entries: unknown, subject: string): void {
  const before = useRef<{ subject: string; tops: Map<string, number> }>(undefined);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `entries` stands for the rows that are measured
  useLayoutEffect(() => {
    const rows = [...(body.current?.querySelectorAll<HTMLElement>('tr[data-key]') ?? [])];
    const last = before.current?.subject === subject ? before.current.tops : undefined;
    const tops = new Map(rows.map((row) => [row.dataset.key!, row.offsetTop]));
    before.current = { subject, tops };
    if (!last) return;
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    for (const row of rows) settle(row, last.get(row.dataset.key!), !still);
  }, [body, entries, subject]);
}

function settle(row: HTMLElement, oldTop: number | undefined, moves: boolean): void {
  if (oldTop === undefined) {
    row.animate([{ backgroundColor: 'var(--accent-wash)' }, { backgroundColor: 'transparent' }], FLASH);
    if (moves)
      row.animate(
        [
          { opacity: 0, transform: 'translateY(-0.5rem)' },
          { opacity: 1, transform: 'none' },
        ],
        MOVE,
      );
  } else if (moves && oldTop !== row.offsetTop) {
    row.animate([{ transform: `translateY(${oldTop - row.offsetTop}px)` }, { transform: 'none' }], MOVE);
  }
}
