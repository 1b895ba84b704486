import { Link } from 'wouter';
import { useTitle } from './use-title.ts';

export function NotFound() {
  useTitle('Not found');
  return (
    <div className="page">
      <h1>There is no page here</h1>
      <p>
        The address may be mistyped. <Link href="/">Go to the start</Link>: what runs here is listed there.
      </p>
    </div>
  );
}
