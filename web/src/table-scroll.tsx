import type { ReactNode } from 'react';

/** A table that may be wider than its place: scrolled by hand and by keyboard. */
export function TableScroll({ label, children }: { label: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is scrolled by keyboard too
    <section className="table-scroll" aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}
