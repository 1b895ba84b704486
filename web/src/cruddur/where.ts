/** Addresses of the page's parts: one page on the server, told apart by the query. */
export const home = '/cruddur/';

export function place(view: string, of: Readonly<Record<string, string>> = {}): string {
  return `${home}?${new URLSearchParams({ view, ...of })}`;
}
